"""The one ranking path: two legs, fused, then the stages that order the candidates, then the reranker."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from retrieval.encoder import Encoder
from retrieval.index.base import Index
from retrieval.ranking.combine import combine
from retrieval.ranking.documents import DEPTH as DOCUMENT_DEPTH
from retrieval.ranking.fusion import fuse
from retrieval.ranking.query import Query
from retrieval.ranking.sentences import by_best_sentence
from retrieval.ranking.stage import Pool, Stage
from retrieval.reranker import RerankerCard
from retrieval.reranker.plan import FIRST
from retrieval.types import Candidate, Filter, FusedCandidate, Passage

T = TypeVar("T", Candidate, FusedCandidate)

DEPTH = 100  # candidates of each leg that are ranked, and of both once they are fused
RERANKED = 20  # candidates that the reranker reads
# What orders the fused candidates, in turn. A stage that is taken out of here is not run.
STAGES: dict[str, Stage] = {"sentences": by_best_sentence}


@dataclass(frozen=True, slots=True)
class Scope:
    """What a search ranks: the points of a collection that `filter` lets through.

    `read` gives the passages of candidates by id, at once for all. A candidate that it leaves out is not
    ranked: it was deleted, or the person may not read it any more.
    """

    index: Index
    collection: str
    encoder: Encoder
    read: Callable[[Sequence[str]], Mapping[str, Passage]]
    filter: Filter | None = None


@dataclass(frozen=True, slots=True)
class Reranking:
    """The last stage, where there is a reranker.

    `score` gets the query and the texts of passages. It returns a score for each (NaN for one that the model
    cannot read, -inf for one that there was no time for), or the reason why there are none; it keeps its own
    deadline.
    """

    score: Callable[[str, Sequence[str]], Sequence[float] | str]
    card: RerankerCard
    depth: int = RERANKED


@dataclass(frozen=True, slots=True)
class Step:
    """The candidates after a stage, best first, and how long it took by itself."""

    name: str
    candidates: Sequence[Candidate | FusedCandidate]
    seconds: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """The candidates of a query, best first, and how they came to stand so.

    The steps are `lexical`, `dense`, `fused`, each of `STAGES`, and `reranked` where there are scores.
    """

    candidates: Sequence[FusedCandidate]
    found: int  # candidates before they were read
    steps: Sequence[Step]
    rerank_scores: Mapping[str, float] = field(default_factory=dict)  # by id
    not_reranked: str = ""  # why the first ones have none, where some were asked for

    @property
    def reranked(self) -> bool:
        """Whether the first of the order, `FIRST` or all that the model can read, have scores."""
        return bool(self.rerank_scores) and not self.not_reranked


def rank(query: Query, scope: Scope, reranking: Reranking | None = None) -> Ranking:
    """Rank what a scope holds for a query.

    Every candidate is a hit under the scope's filter, and so is all that has an influence on its place.

    Raises:
        IndexUnavailableError: the index does not answer.
    """
    steps = _Steps()
    lexical = _lexical(query, scope)
    steps.add("lexical", lexical[:DEPTH])
    dense = steps.add("dense", _dense(query, scope))
    found = _fused(query, dense, lexical)
    passages = scope.read([candidate.id for candidate in found])
    candidates = steps.add("fused", [candidate for candidate in found if candidate.id in passages])
    pool = Pool(passages, scope.encoder)
    for name, stage in STAGES.items():
        candidates = steps.add(name, stage(query, candidates, pool))
    if reranking is None or not candidates:
        return Ranking(candidates, len(found), steps.made)
    head = candidates[: reranking.depth]
    scores = _scores(query, head, passages, reranking)
    if isinstance(scores, str):
        return Ranking(candidates, len(found), steps.made, not_reranked=scores)
    candidates = steps.add("reranked", _reranked(candidates, scores, reranking))
    known = {id: score for id, score in scores.items() if math.isfinite(score)}
    missed = not known or any(scores.get(c.id) == -math.inf for c in head[:FIRST])
    return Ranking(candidates, len(found), steps.made, known, "timeout" if missed else "")


def find(query: Query, scope: Scope) -> list[FusedCandidate]:
    """Return the fused candidates alone, unread: what a search would find."""
    return _fused(query, _dense(query, scope), _lexical(query, scope))


def _lexical(query: Query, scope: Scope) -> list[Candidate]:
    return scope.index.search_sparse(scope.collection, query.terms, limit=DOCUMENT_DEPTH, filter=scope.filter)


def _dense(query: Query, scope: Scope) -> list[Candidate]:
    if not query.vector.any():
        return []
    return scope.index.search_dense(scope.collection, query.vector, limit=DEPTH, filter=scope.filter)


def _fused(query: Query, dense: list[Candidate], lexical: list[Candidate]) -> list[FusedCandidate]:
    return fuse(dense, lexical, lexical_weight=query.lexical_weight, limit=DEPTH)


def _scores(
    query: Query,
    head: Sequence[FusedCandidate],
    passages: Mapping[str, Passage],
    reranking: Reranking,
) -> dict[str, float] | str:
    """Return the reranker's scores of the candidates whose language it reads."""
    read = [c.id for c in head if reranking.card.reads(passages[c.id].language)]
    scores = reranking.score(query.text, [passages[id].full for id in read])
    return scores if isinstance(scores, str) else dict(zip(read, map(float, scores), strict=True))


def _reranked(
    candidates: Sequence[FusedCandidate], scores: Mapping[str, float], reranking: Reranking
) -> list[FusedCandidate]:
    head, rest = candidates[: reranking.depth], candidates[reranking.depth :]
    known = [scores.get(candidate.id, math.nan) for candidate in head]
    return [*combine(head, known, reranking.card.weight, reranking.card.spread), *rest]


class _Steps:
    """The steps of a ranking that is being made."""

    def __init__(self) -> None:
        self.made: list[Step] = []
        self._last = time.perf_counter()

    def add(self, name: str, candidates: list[T]) -> list[T]:
        """Note a step that ends now, and return its candidates."""
        now = time.perf_counter()
        self.made.append(Step(name, candidates, now - self._last))
        self._last = now
        return candidates
