"""`manage.py benchmark WHAT`: measures Quarry against the peers that are installed, in one run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from benchmarks import adapt, encode, ingest, search
from benchmarks.report import Row, as_json
from ingestion.engine import model_path
from retrieval.encoder import EncoderUnavailableError

BENCHMARKS: dict[str, Callable[[str], list[Row]]] = {
    "encode": encode.run,
    "ingest": lambda model: ingest.run(model, settings.DIMENSIONS),
    "search": lambda model: search.run(model, settings.DIMENSIONS),
    "adapt": adapt.run,
}


class Command(BaseCommand):
    help = "Measure speed against the peers that are installed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("benchmark", choices=list(BENCHMARKS))
        parser.add_argument("--json", type=Path, metavar="FILE")

    def handle(self, *args: Any, benchmark: str, **options: Any) -> None:
        try:
            rows = BENCHMARKS[benchmark](model_path(settings.ENCODER))
        except (EncoderUnavailableError, ValueError) as error:
            raise CommandError(str(error)) from error
        for row in rows:
            self._write(row)
        if options["json"]:
            options["json"].write_text(json.dumps(as_json(benchmark, rows), indent=1) + "\n")

    def _write(self, row: Row) -> None:
        ratio = f"   {row.ratio:.3g} x {row.ratio_to}" if row.ratio is not None else ""
        self.stdout.write(f"{row.name:<52}{row.value:>12,.3f} {row.unit}{ratio}")
