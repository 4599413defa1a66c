"""`manage.py evaluate_files FOLDER`: what `evaluate` starts in a data folder of its own for files."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from tqdm import tqdm

from config.management.data import DataCommand
from evaluation.file_questions import METRICS, FileRun, QuestionsError, as_json, measure, read_questions
from indexing import engine
from learning.models import LearningRun
from library.models import Document

LIBRARY = "evaluation"


class Command(DataCommand):
    help = "Ingest FOLDER/files into this data folder and ask FOLDER/questions.jsonl. `evaluate` runs it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--adapt", action="store_true")
        parser.add_argument("--queries", type=int)
        parser.add_argument("--json", type=Path)

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        try:
            questions = read_questions(folder / "questions.jsonl", options["queries"])
        except QuestionsError as error:
            raise CommandError(str(error)) from error
        with suppress(SystemExit):  # a file that cannot be read is named, and makes its questions fail
            call_command("ingest", folder / "files", library=LIBRARY, stdout=self.stdout)
        if options["adapt"]:
            call_command("adapt", library=LIBRARY, stdout=self.stdout)
        everyone = get_user_model()(username="evaluate", is_superuser=True)
        self.stdout.write(f"{folder.resolve().name}: {len(questions)} questions")
        with tqdm(total=len(questions), desc="Asking", unit=" questions", disable=None) as bar:
            runs = measure(everyone, questions, lambda: bar.update(1))
        self._print(runs)
        if options["json"]:
            options["json"].write_text(
                json.dumps(self._report(folder, len(questions), runs), indent=1) + "\n"
            )

    def _print(self, runs: list[FileRun]) -> None:
        columns = "".join(f"{name:>9}" for name in METRICS)
        self.stdout.write(f"{'run':<14}{columns}{'p50 ms':>10}  change of mrr")
        for run in runs:
            self.stdout.write(f"{run.name:<14}{_row(run.metrics)}{run.p50_ms:>10.1f}  {_change(run)}")
            if len(run.languages) > 1:
                for language, metrics in run.languages.items():
                    self.stdout.write(f"  {language or '?':<12}{_row(metrics)}")

    def _report(self, folder: Path, questions: int, runs: list[FileRun]) -> dict[str, Any]:
        version = engine.live_version()
        off = settings.RERANK_BACKEND == "off"
        return {
            "dataset": folder.resolve().name,
            "documents": Document.objects.filter(active_version__isnull=False).count(),
            "queries": questions,
            "adapted": LearningRun.objects.filter(report__better=True).exists(),
            "encoder": {"name": settings.ENCODER, "dimensions": version.dimensions},
            "reranker": None if off else {"name": settings.RERANKER},
            "runs": [as_json(run) for run in runs],
        }


def _row(metrics: Any) -> str:
    return "".join(
        f"{'-' if math.isnan(metrics[name]) else format(metrics[name], '.4f'):>9}" for name in METRICS
    )


def _change(run: FileRun) -> str:
    if run.difference is None:
        return ""
    return f"{run.difference.mrr:+.4f} ± {run.difference.standard_error:.4f} against {run.difference.before}"
