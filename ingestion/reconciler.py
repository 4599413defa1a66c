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

    Documents that changed less than `settled` ago are left to the next run.
    """
    version = engine.live_version()
    expected = {
        str(pk): count
        for pk, count in Document.objects.filter(active_version__isnull=False).values_list(
            "pk", "chunk_count"
        )
    }
    busy = {
        str(pk)
        for pk in Document.objects.filter(updated_at__gt=timezone.now() - settled).values_list(
            "pk", flat=True
        )
    }
    actual = engine.index().facet(version.collection, "document", limit=max(1, len(expected)) * 2 + 1000)
    suspects = {pk for pk in expected.keys() | actual.keys() if expected.get(pk, 0) != actual.get(pk, 0)}
    removed = written = 0
    for document_id in suspects - busy:
        gone, added = _repair(version, document_id)
        removed, written = removed + gone, written + added
    if removed or written:
        logger.warning("Reconciled: %d points removed, %d written.", removed, written)
    return Report(removed, written)


def _repair(version: IndexVersion, document_id: str) -> tuple[int, int]:
    chunks = list(Chunk.objects.filter(document_id=UUID(document_id)).select_related("document"))
    rows = {str(c.pk): c for c in chunks}
    have = set(engine.index().ids(version.collection, Filter({"document": [document_id]})))
    if orphans := sorted(have - rows.keys()):
        engine.index().delete(version.collection, orphans)
    missing: Sequence[Chunk] = [c for pk, c in rows.items() if pk not in have]
    for start in range(0, len(missing), BATCH):
        engine.index().upsert(version.collection, points(version, missing[start : start + BATCH]))
    return len(orphans), len(missing)
