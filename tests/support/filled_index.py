"""A real index of a few passages, and queries that are analysed by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from retrieval.encoder import Encoder
from retrieval.frequencies import Frequencies, count
from retrieval.index.base import CollectionSpec, Index
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical
from retrieval.ranking import Query, Scope, analyse
from retrieval.types import Filter, Passage, Point


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


def frequencies(passages: Iterable[Passage]) -> Frequencies:
    """How often the terms of some passages occur in them."""
    read = list(passages)
    return count(Lexical().passages(read), [passage.language for passage in read])


def asked(text: str, encoder: Encoder, passages: Mapping[str, Passage]) -> Query:
    """A query for these passages, both of whose legs count."""
    return analyse(text, encoder, [frequencies(passages.values())])


def scope(
    index: Index, encoder: Encoder, passages: Mapping[str, Passage], filter: Filter | None = None
) -> Scope:
    """What a search of the collection "chunks" ranks."""
    return Scope(index, "chunks", encoder, lambda ids: {id: passages[id] for id in ids}, filter)
