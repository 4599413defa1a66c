"""Makes index and database agree again, after a crash or a restore. Repairs both ways, and reports."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from indexing import engine, frequencies
from indexing.models import IndexVersion
from indexing.passages import BATCH
from indexing.points import points
from library.models import Chunk, Document
from retrieval.types import Filter

logger = logging.getLogger(__name__)

# Long enough to bring back the database of the day when yesterday's was restored by mistake.
UNNAMED_FILES_KEPT = timedelta(days=7)
STORED = f"{'[0-9a-f]' * 2}/{'[0-9a-f]' * 32}"  # as `models.storage_name` makes names

# A document that changed this recently may be between its points and its rows; the next run looks at it.
SETTLED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Report:
    """What was repaired: points without rows were removed, rows without points were written."""

    removed: int
    written: int


def run(settled: timedelta = SETTLED) -> Report:
    """Compare the points of the live index with the chunks of the database, document by document.

    Documents that changed less than `settled` ago are left to the next run. The index is always read before
    the database: a worker says that it works on a document before it writes points, so points that were seen
    before their rows are never taken for orphans.

    Term frequencies that do not add up are counted again. Stored files that no document names are removed
    after a week.

    Raises `UnknownCollectionError` for a collection that was lost, which `healing.py` makes anew.
    """
    version = engine.live_version()
    there = set(engine.index().ids(version.collection))
    actual = engine.index().facet(version.collection, "document", limit=Document.objects.count() * 2 + 1000)
    documents = Document.objects.filter(active_version__isnull=False)
    expected = {str(pk): count for pk, count in documents.values_list("pk", "chunk_count")}
    differing = {pk for pk in expected.keys() | actual.keys() if expected.get(pk, 0) != actual.get(pk, 0)}
    # As many points, but others: the database is yesterday's, and the index knows another version.
    rows = Chunk.objects.values_list("pk", "document_id").iterator()
    differing.update(str(document) for chunk, document in rows if str(chunk) not in there)
    removed = written = 0
    for document_id in sorted(differing):
        gone, added = _repair(version, document_id, settled)
        removed, written = removed + gone, written + added
    remove_unnamed_files()
    frequencies.repair()
    if removed or written:
        logger.warning("Reconciled: %d points removed, %d written.", removed, written)
    return Report(removed, written)


def remove_unnamed_files(kept: timedelta = UNNAMED_FILES_KEPT) -> int:
    """Remove stored files that no document has named for so long, and return how many: what a crash left
    between file and row. Only names that `storage_name` gives are touched."""
    root, before = Path(settings.MEDIA_ROOT), (timezone.now() - kept).timestamp()
    # When it came here, not when it was written: a backup that is restored brings old times.
    old = [f for f in root.glob(STORED) if f.stat().st_ctime < before]
    unnamed = {f.relative_to(root).as_posix() for f in old}.difference(
        Document.objects.values_list("file", flat=True)
    )
    for name in unnamed:
        default_storage.delete(name)
    if unnamed:
        logger.warning("Removed %d stored files that no document names.", len(unnamed))
    return len(unnamed)


def _repair(version: IndexVersion, document_id: str, settled: timedelta) -> tuple[int, int]:
    have = set(engine.index().ids(version.collection, Filter({"document": [document_id]})))
    if Document.objects.filter(pk=document_id, updated_at__gt=timezone.now() - settled).exists():
        return 0, 0
    chunks = list(Chunk.objects.filter(document_id=UUID(document_id)).select_related("document"))
    rows = {str(c.pk): c for c in chunks}
    if orphans := sorted(have - rows.keys()):
        engine.index().delete(version.collection, orphans)
    missing: Sequence[Chunk] = [c for pk, c in rows.items() if pk not in have]
    for start in range(0, len(missing), BATCH):
        engine.index().upsert(version.collection, points(version, missing[start : start + BATCH]))
    return len(orphans), len(missing)
