"""A real index of a few passages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from retrieval.encoder import Encoder
from retrieval.index.base import CollectionSpec, Index
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical
from retrieval.types import Passage, Point


@contextmanager
def filled_index(folder: Path, encoder: Encoder, passages: Mapping[str, Passage]) -> Iterator[Index]:
    """The passages, by id, in the collection "chunks"; each has its id as its library."""
    index = EdgeIndex(folder)
    index.create("chunks", CollectionSpec(encoder.dimensions))
    dense = encoder.encode_passages([passage.full for passage in passages.values()])
    rows = zip(passages, dense, Lexical().passages(list(passages.values())), strict=True)
    index.upsert("chunks", [Point(*row, payload={"library": row[0]}) for row in rows])
    try:
        yield index
    finally:
        index.close()
