"""Chunks as the engine reads them."""

from __future__ import annotations

from library.models import Chunk
from library.titles import searchable_title
from retrieval.types import Passage

BATCH = 512  # chunks encoded and written at a time


def passage(chunk: Chunk) -> Passage:
    """What both legs index for a chunk, and the reranker reads."""
    document = chunk.document
    return Passage(
        text=chunk.text, title=searchable_title(document), heading=chunk.heading, language=document.language
    )
