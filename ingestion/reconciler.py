"""Makes index and database agree again, after a crash or a restore. Repairs both ways, and reports."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from ingestion import engine
from ingestion.models import Chunk, Document, IndexVersion
from ingestion.pipeline import BATCH, points
from retrieval.types import Filter

logger = logging.getLogger(__name__)

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
    """
    version = engine.live_version()
    actual = engine.index().facet(version.collection, "document", limit=Document.objects.count() * 2 + 1000)
    documents = Document.objects.filter(active_version__isnull=False)
    expected = {str(pk): count for pk, count in documents.values_list("pk", "chunk_count")}
    removed = written = 0
    for document_id in expected.keys() | actual.keys():
        if expected.get(document_id, 0) != actual.get(document_id, 0):
            gone, added = _repair(version, document_id, settled)
            removed, written = removed + gone, written + added
    if removed or written:
        logger.warning("Reconciled: %d points removed, %d written.", removed, written)
    return Report(removed, written)


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
