"""`manage.py evaluate --judgements FILE.csv`: the live library on an admin's own judgements."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from config.management.data import DataCommand, narrowed_to, person_named
from evaluation.judgements import Judged, JudgementsError, Measured, match, measure, read_judgements
from library.access import Person


def add_judged_arguments(parser: CommandParser) -> None:
    group = parser.add_argument_group("to measure the live index instead")
    group.add_argument("--judgements", type=Path, metavar="FILE.csv", help="query,document,relevance")
    group.add_argument("--library", metavar="NAME", help="only this library; by default, all")
    group.add_argument("--user", metavar="NAME", help="what this person may read; by default, everything")


class JudgedCommand(DataCommand):
    """What `evaluate` hands over to, since it needs the data folder and the other uses do not."""

    def handle(self, *args: Any, **options: Any) -> None:
        user = person_named(options["user"])
        libraries = narrowed_to(user, options["library"])
        try:
            judged = match(user, read_judgements(options["judgements"]), libraries)
        except JudgementsError as error:
            raise CommandError(str(error)) from error
        for line, problem in judged.ignored:
            self.stderr.write(self.style.WARNING(f"line {line} is ignored: {problem}"))
        self.stdout.write(f"{len(judged.judgements)} queries in {options['library'] or 'all libraries'}")
        self.stdout.write(f"{'run':<12}{'nDCG@10':>10}{'R@100':>8}{'p50 ms':>10}{'p95 ms':>10}")
        runs = [self._measure(user, judged, libraries, rerank=rerank) for rerank in (False, True)]
        if options["json"]:
            self._write(options["json"], options["library"], judged, [run for run in runs if run])

    def _measure(
        self, user: Person, judged: Judged, libraries: tuple[str, ...], *, rerank: bool
    ) -> Measured | None:
        """One run, printed; None where there is no reranker."""
        run = measure(user, judged, libraries, rerank=rerank)
        if run.missing == len(judged.judgements):
            self.stderr.write(self.style.WARNING("No reranked run: the reranker is off or does not answer."))
            return None
        self.stdout.write(
            f"{run.name:<12}{run.ndcg:>10.4f}{run.recall:>8.4f}{run.p50_ms:>10.1f}{run.p95_ms:>10.1f}"
        )
        if run.missing:
            self.stderr.write(self.style.WARNING(f"{run.missing} queries were not reranked."))
        return run

    def _write(self, path: Path, library: str | None, judged: Judged, runs: list[Measured]) -> None:
        report = {
            "library": library,
            "queries": len(judged.judgements),
            "judgements": sum(len(documents) for documents in judged.judgements.values()),
            "ignored": [{"line": line, "problem": problem} for line, problem in judged.ignored],
            "runs": [
                {
                    "name": run.name,
                    "ndcg@10": round(run.ndcg, 5),
                    "recall@100": round(run.recall, 5),
                    "p50_ms": round(run.p50_ms, 3),
                    "p95_ms": round(run.p95_ms, 3),
                }
                for run in runs
            ],
        }
        path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
