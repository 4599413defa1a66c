"""The order that the first stage and the reranker make together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.types import FloatArray, FusedCandidate


def combine(
    fused: Sequence[FusedCandidate],
    scores: Sequence[float] | FloatArray,
    weight: float = 0.5,
    spread: float | None = None,
) -> list[FusedCandidate]:
    """The candidates, best first, by `(1 - weight) * first stage + weight * reranker`.

    The first stage's scores are standardised over the candidates of this query; the reranker's are divided by
    their usual spread, so that it says little of a query whose candidates it cannot tell apart. A candidate
    whose score is NaN (the reranker cannot read it) keeps its place, and the others are ordered among the
    places that are left: first those that were scored, then in their old order those whose score is -inf
    (there was no time for them).

    Args:
        fused: the candidates in the order of the first stage.
        scores: one for each candidate, in the same order.
        weight: of the reranker, 0 to 1: `RerankerCard.weight`.
        spread: `RerankerCard.spread`; None: that of these scores, since scales differ between models.

    Raises:
        ValueError: the lengths differ.
    """
    reranker = np.asarray(scores, dtype=np.float32)
    if len(reranker) != len(fused):
        raise ValueError(f"{len(reranker)} scores for {len(fused)} candidates")
    scored, places = np.flatnonzero(np.isfinite(reranker)), np.flatnonzero(~np.isnan(reranker))
    if not len(scored):
        return list(fused)
    first_stage = np.array([fused[place].score for place in scored.tolist()], dtype=np.float32)
    read = reranker[scored]
    said = _standardised(read) if spread is None else (read - read.mean()) / spread
    final = (1 - weight) * _standardised(first_stage) + weight * said
    order = list(fused)
    winners = np.concatenate((scored[np.argsort(-final, kind="stable")], np.setdiff1d(places, scored)))
    for place, winner in zip(places.tolist(), winners.tolist(), strict=True):
        order[place] = fused[winner]
    return order


def _standardised(scores: FloatArray) -> FloatArray:
    """Mean 0 and standard deviation 1; all 0 where the scores are equal."""
    spread = scores.std()
    return (scores - scores.mean()) / spread if spread > 1e-6 else np.zeros_like(scores)
