"""The points of chunks: what both legs of the index hold of a passage."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid5

from indexing.engine import encoder, lexical
from indexing.models import IndexVersion
from indexing.passages import passage
from library.models import Chunk, Document
from retrieval.types import Passage, Point, SparseVector


def chunk_id(document: Document, number: int) -> UUID:
    """The id of a chunk and of its point, the same for every attempt at one version."""
    return uuid5(document.pk, f"{document.version}/{number}")


def points(version: IndexVersion, chunks: Sequence[Chunk]) -> list[Point]:
    """The points of some chunks, by the models of one index version."""
    passages = [passage(c) for c in chunks]
    dense = encoder(version.encoder, version.dimensions).encode_passages([p.full for p in passages])
    return [
        Point(str(c.pk), vector, _terms(version, c.document, p), _payload(c.document))
        for c, p, vector in zip(chunks, passages, dense, strict=True)
    ]


def _terms(version: IndexVersion, document: Document, passage: Passage) -> SparseVector:
    (terms,) = lexical(version, document.library_id).passages([passage])
    return terms


def _payload(document: Document) -> dict[str, str | int | list[str]]:
    fields: dict[str, str | int | list[str]] = {
        "library": str(document.library_id),
        "document": str(document.pk),
        "type": document.type,
        "language": document.language,
        "passages": document.chunk_count,
        "tags": [str(tag) for tag in document.tags],
    }
    if document.date:
        fields["date"] = document.date.isoformat() + "T00:00:00Z"
        fields["year"] = str(document.date.year)
    return fields
