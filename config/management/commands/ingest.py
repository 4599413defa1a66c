"""`manage.py ingest PATH... --library NAME`"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management import CommandError, CommandParser
from django.db.models import QuerySet
from tqdm import tqdm

from config.embedded import workers
from config.management.data import DataCommand
from ingestion.intake import Outcome, ingest_paths
from library.access import one_library
from library.models import PENDING, Document, Library, Status

POLL_S = 0.3


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
        try:
            if settings.EMBEDDED:
                with workers():
                    self._wait(accepted)
            else:
                self._wait(accepted)
        except KeyboardInterrupt:
            raise CommandError("Stopped. What is stored is indexed when Quarry runs again.") from None
        self._report(outcomes, accepted)

    def _wait(self, ids: list[UUID]) -> None:
        """Show progress until every document has come to an end, in this process or in the server's."""
        with tqdm(total=len(ids), desc="Indexing", unit=" files", disable=None) as bar:
            while (left := self._pending(ids)) > 0:
                bar.update(len(ids) - left - bar.n)
                time.sleep(POLL_S)
            bar.update(len(ids) - bar.n)

    def _pending(self, ids: list[UUID]) -> int:
        return sum(documents.filter(status__in=PENDING).count() for documents in self._batches(ids))

    def _batches(self, ids: list[UUID]) -> Iterator[QuerySet[Document]]:
        """The documents, as many at a time as every database takes ids in a query."""
        for start in range(0, len(ids), 500):
            yield Document.objects.filter(pk__in=ids[start : start + 500])

    def _report(self, outcomes: list[Outcome], ids: list[UUID]) -> None:
        refused = [(o.name, o.code, o.message) for o in outcomes if o.code and o.code != "duplicate"]
        for documents in self._batches(ids):
            failed = documents.exclude(status=Status.READY)
            refused += failed.values_list("name", "error_code", "error_message")
        counts = Counter(duplicate=sum(o.code == "duplicate" for o in outcomes), failed=len(refused))
        for name, code, message in refused:
            self.stdout.write(f"{name}: {code}: {message}")
        ready = len(outcomes) - counts["duplicate"] - counts["failed"]
        self.stdout.write(f"{ready} ready, {counts['failed']} failed, {counts['duplicate']} duplicate")
        if refused:
            raise SystemExit(1)
