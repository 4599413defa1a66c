"""What compressing minimises at one dimension: rank loss, plus a share of the similarity gap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from research.smec.losses import rank_loss, similarity_gap
from research.smec.similarity import Weighted, cosines, cosines_slopes, paired_cosines, paired_slopes
from retrieval.types import FloatArray

_UNSUPERVISED_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Outputs:
    """Compressed vectors of a batch: queries and passages (n, columns), and remembered passages.

    Of those (n * k, columns) there are k for each query in turn; none where there is no memory.
    """

    queries: FloatArray
    passages: FloatArray
    remembered: FloatArray


@dataclass(frozen=True, slots=True)
class Targets:
    """What the outputs are held to.

    `labels` (n, n): 1 where passage j is relevant to query i. `full` (n, k): the similarities of the queries
    to their remembered passages before compressing.
    """

    labels: FloatArray
    full: FloatArray


def objective(
    outputs: Outputs, targets: Targets, weights: FloatArray, temperature: float
) -> tuple[float, Outputs, FloatArray]:
    """The loss where each column counts by `weights`; its gradients by the outputs and by the weights."""
    queries, passages = Weighted.of(outputs.queries, weights), Weighted.of(outputs.passages, weights)
    similarities = cosines(queries, passages)
    loss, slope = rank_loss(similarities, targets.labels, temperature)
    ranked = cosines_slopes(queries, passages, similarities, slope)
    if not targets.full.size:
        return loss, Outputs(ranked.left, ranked.right, np.zeros_like(outputs.remembered)), ranked.weights
    neighbours = targets.full.shape[1]
    repeated = Weighted.of(np.repeat(outputs.queries, neighbours, axis=0), weights)
    remembered = Weighted.of(outputs.remembered, weights)
    similarities = paired_cosines(repeated, remembered)
    gap, slope = similarity_gap(similarities, targets.full.ravel())
    kept = paired_slopes(repeated, remembered, similarities, _UNSUPERVISED_SHARE * slope)
    by_query = kept.left.reshape(len(outputs.queries), neighbours, -1).sum(axis=1)
    return (
        loss + _UNSUPERVISED_SHARE * gap,
        Outputs(ranked.left + by_query, ranked.right, kept.right),
        ranked.weights + kept.weights,
    )
