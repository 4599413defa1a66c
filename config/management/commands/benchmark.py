"""`manage.py benchmark WHAT`: measures Quarry against the peers that are installed, in one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from config.management.arguments import report_file
from evaluation.benchmarks import adapt, encode, ingest, rerank, search
from evaluation.benchmarks.report import Row, as_json
from indexing.engine import model_path
from retrieval.encoder import EncoderUnavailableError
from training.static_model import NotStaticError

BENCHMARKS: dict[str, Callable[[], list[Row]]] = {
    "encode": lambda: encode.run(model_path(settings.ENCODER)),
    "ingest": lambda: ingest.run(model_path(settings.ENCODER), settings.DIMENSIONS),
    "search": lambda: search.run(model_path(settings.ENCODER), settings.DIMENSIONS),
    "rerank": lambda: rerank.run(model_path(settings.RERANKER)),
    "adapt": lambda: adapt.run(model_path(settings.ENCODER)),
}


class Command(BaseCommand):
    help = "Measure speed against the peers that are installed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("benchmark", choices=list(BENCHMARKS))
        parser.add_argument("--json", type=report_file, metavar="FILE")

    def handle(self, *args: Any, benchmark: str, **options: Any) -> None:
        try:
            rows = BENCHMARKS[benchmark]()
        except (EncoderUnavailableError, NotStaticError, ImportError, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        for row in rows:
            self._write(row)
        if options["json"]:
            options["json"].write_text(json.dumps(as_json(benchmark, rows), indent=1) + "\n")

    def _write(self, row: Row) -> None:
        ratio = f"   {row.ratio:.3g} x {row.ratio_to}" if row.ratio is not None else ""
        self.stdout.write(f"{row.name:<52}{row.value:>12,.3f} {row.unit}{ratio}")
