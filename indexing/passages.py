"""Chunks as the engine reads them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from library.models import Chunk
from library.titles import searchable_title
from retrieval.types import Passage

BATCH = 512  # chunks that are read, encoded and written at a time


def passage(chunk: Chunk) -> Passage:
    """Return what both legs index for a chunk, and the reranker reads."""
    document = chunk.document
    return Passage(
        text=chunk.text, title=searchable_title(document), heading=chunk.heading, language=document.language
    )


def batches(chunks: QuerySet[Chunk]) -> Iterator[list[Chunk]]:
    """Yield every chunk in the order of its id, in batches that each begin after the last (never a long
    cursor)."""
    ordered, after = chunks.select_related("document").order_by("pk"), None
    while batch := list((ordered.filter(pk__gt=after) if after else ordered)[:BATCH]):
        yield batch
        after = batch[-1].pk
