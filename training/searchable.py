"""Passages in an index, searched as the product searches a library."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from retrieval.encoder import Encoder
from retrieval.frequencies import Frequencies, count
from retrieval.index.base import CollectionSpec, Index
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical, average_length
from retrieval.ranking import Query, Ranking, Reranking, Scope, analyse, rank
from retrieval.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from retrieval.types import Passage, Point, SparseVector


@dataclass(frozen=True, slots=True)
class Searchable:
    """A filled collection: what is searched, how often its terms occur, and how its legs are weighed."""

    scope: Scope
    spec: CollectionSpec
    frequencies: Frequencies
    weights: FusionWeights

    def query(self, text: str) -> Query:
        """Analyse a query."""
        return analyse(text, self.scope.encoder, [self.frequencies], self.weights)

    def rank(self, text: str, reranking: Reranking | None = None) -> Ranking:
        """Search."""
        return rank(self.query(text), self.scope, reranking)


def sparse_vectors(passages: Mapping[str, Passage]) -> list[SparseVector]:
    """Return the BM25 vectors of passages, whose own mean length is the usual one."""
    texts = list(passages.values())
    return Lexical(average_length=average_length(texts)).passages(texts)


def searchable(
    index: Index,
    encoder: Encoder,
    spec: CollectionSpec,
    passages: Mapping[str, Passage],
    sparse: list[SparseVector] | None = None,
    weights: FusionWeights = DEFAULT_WEIGHTS,
) -> Searchable:
    """Fill a new collection with passages, given by their points' ids; `sparse`: where they are known."""
    collection = f"codes-{spec.coded}-of-{spec.dimensions}"
    sparse = sparse or sparse_vectors(passages)
    dense = encoder.encode_passages([passage.full for passage in passages.values()])
    index.create(collection, spec)
    rows = zip(passages, dense, sparse, strict=True)
    index.upsert(collection, [Point(*row, payload={}) for row in rows])
    scope = Scope(index, collection, encoder, lambda ids: {id: passages[id] for id in ids})
    return Searchable(scope, spec, count(sparse, [p.language for p in passages.values()]), weights)


@contextmanager
def temporary_index() -> Iterator[Index]:
    """Open an index that is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="quarry-index-") as folder:
        index = EdgeIndex(Path(folder))
        try:
            yield index
        finally:
            index.close()
