"""`manage.py ingest PATH... --library NAME`"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import CommandError, CommandParser
from tqdm import tqdm

from config.management.data import DataCommand
from config.management.waiting import batches, wait_for
from ingestion.intake import Outcome, ingest_paths
from library.access import one_library
from library.models import Library, Status


class Command(DataCommand):
    help = "Add files, folders, .zip archives or a BEIR-style corpus.jsonl to a library."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--library", required=True, help="id or name; made if there is none")

    def handle(self, *args: Any, paths: list[Path], library: str, **options: Any) -> None:
        for path in paths:
            if not path.exists():
                raise CommandError(f"There is no file or folder {path}.")
        try:
            target = one_library(Library.objects.all(), library)
        except Library.DoesNotExist:
            target = Library.objects.create(name=library)
        outcomes = list(tqdm(ingest_paths(target, paths), desc="Storing", unit=" files", disable=None))
        accepted = [o.document.pk for o in outcomes if o.accepted and o.document]
        wait_for(accepted)
        self._report(outcomes, accepted)

    def _report(self, outcomes: list[Outcome], ids: list[UUID]) -> None:
        refused = [(o.name, o.code, o.message) for o in outcomes if o.code and o.code != "duplicate"]
        for documents in batches(ids):
            failed = documents.exclude(status=Status.READY)
            refused += failed.values_list("name", "error_code", "error_message")
        counts = Counter(duplicate=sum(o.code == "duplicate" for o in outcomes), failed=len(refused))
        for name, code, message in refused:
            self.stdout.write(f"{name}: {code}: {message}")
        ready = len(outcomes) - counts["duplicate"] - counts["failed"]
        self.stdout.write(f"{ready} ready, {counts['failed']} failed, {counts['duplicate']} duplicate")
        if refused:
            raise SystemExit(1)
