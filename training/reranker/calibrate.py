"""How much the reranker's scores may count, tried on searches made of pairs that it did not learn."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from retrieval.encoder import Encoder
from retrieval.index.base import CollectionSpec
from retrieval.ranking import RERANKED
from retrieval.ranking.combine import combine
from retrieval.reranker import Reranker
from retrieval.types import FloatArray, FusedCandidate, Passage
from training.base.sources import Pair
from training.reranker.held_out import shortened
from training.searchable import searchable, temporary_index

WEIGHTS = tuple(step / 20 for step in range(18))  # to 0.85: at 1 the first stage would say nothing
PASSAGES = 2000  # of each source in its index, beside the queries' own
QUERIES = 200  # of each source


@dataclass(frozen=True, slots=True)
class _Search:
    """A query's candidates, the reranker's scores of them, and the id of the query's own passage."""

    candidates: Sequence[FusedCandidate]
    scores: FloatArray
    wanted: str

    def reciprocal_rank(self, weight: float, spread: float) -> float:
        """0 where the wanted one is not among the candidates."""
        order = [hit.id for hit in combine(self.candidates, self.scores, weight, spread)]
        return 1 / (order.index(self.wanted) + 1) if self.wanted in order else 0.0


def calibrate(
    reranker: Reranker,
    encoder: Encoder,
    unseen: Sequence[Sequence[Pair]],
    sources: Sequence[Sequence[Pair]],
) -> tuple[float, float]:
    """The weight with the best mean reciprocal rank over the sources, of those that lose on none; the spread.

    Args:
        reranker: whose card is to be written.
        encoder: finds the candidates.
        unseen: of each source, the pairs that were held out of training: the queries.
        sources: all pairs; their passages are what is searched.
    """
    searches = [_searches(reranker, encoder, *pairs) for pairs in zip(unseen, sources, strict=True)]
    # NaN: a query, or a passage, that the reranker cannot read.
    read = [search.scores for found in searches for search in found if np.isfinite(search.scores).all()]
    spread = float(np.mean([scores.std() for scores in read]))
    table = np.array(
        [
            [np.mean([search.reciprocal_rank(weight, spread) for search in found]) for weight in WEIGHTS]
            for found in searches
        ]
    )
    for weight, ranks in zip(WEIGHTS, table.T, strict=True):
        print(f"weight {weight:.2f}: mean reciprocal rank {ranks.mean():.4f}, by source {ranks.round(4)}")
    harmless = (table >= table[:, :1]).all(axis=0)
    return WEIGHTS[int(np.argmax(np.where(harmless, table.mean(0), 0.0)))], spread


def _searches(
    reranker: Reranker, encoder: Encoder, unseen: Sequence[Pair], source: Sequence[Pair]
) -> list[_Search]:
    """Some of the unseen queries, asked of their own passages and of a crowd of the source's."""
    random_ = random.Random(0)
    own = {shortened(pair.positive): pair.query for pair in unseen}
    asked = random_.sample(list(own), min(QUERIES, len(own)))
    others = {shortened(pair.positive) for pair in source} - set(asked)
    crowd = random_.sample(sorted(others), min(PASSAGES, len(others)))
    passages = {str(UUID(int=number)): Passage(text) for number, text in enumerate([*asked, *crowd])}
    queries = [own[text] for text in asked]
    found = []
    for wanted, query, candidates in zip(
        passages, queries, _search(encoder, passages, queries), strict=False
    ):
        scores = reranker.score([(query, passages[candidate.id].text) for candidate in candidates])
        found.append(_Search(candidates, scores, wanted))
    return found


def _search(
    encoder: Encoder, passages: Mapping[str, Passage], queries: Sequence[str]
) -> list[Sequence[FusedCandidate]]:
    """The product's candidates for each query."""
    with temporary_index() as index:
        searched = searchable(index, encoder, CollectionSpec(encoder.dimensions), passages)
        return [searched.rank(query).candidates[:RERANKED] for query in queries]
