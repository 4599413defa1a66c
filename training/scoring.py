"""nDCG@10 and MRR@10 where each query has one right passage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.types import FloatArray
from training.bags import unit

_DEPTH = 10
# Queries scored at once: bounds the score matrix at 256 x passages.
_BATCH = 256


@dataclass(frozen=True, slots=True)
class Quality:
    """Means over queries, 0 to 1."""

    ndcg_at_10: float
    mrr_at_10: float


def score(queries: FloatArray, passages: FloatArray, right: NDArray[np.intp], *, dimensions: int) -> Quality:
    """How well the cosines of the first `dimensions` rank `right[i]`, the row of query i's own passage."""
    rank = ranks(queries[:, :dimensions], passages[:, :dimensions], right)
    found = rank <= _DEPTH
    return Quality(
        float(np.where(found, 1 / np.log2(1 + rank), 0).mean()), float(np.where(found, 1 / rank, 0).mean())
    )


def ranks(queries: FloatArray, passages: FloatArray, right: NDArray[np.intp]) -> NDArray[np.float64]:
    """(queries,): the rank by cosine of each query's own passage, from 1.

    Passages that tie with the right one count half, so that equal vectors earn nothing by their order.
    """
    queries, passages = unit(queries), unit(passages)
    found = []
    for start in range(0, len(queries), _BATCH):
        rows = right[start : start + _BATCH]
        scores = queries[start : start + _BATCH] @ passages.T
        own = scores[np.arange(len(rows)), rows][:, None]
        ties = (scores == own).sum(axis=1) - 1
        found.append(1 + (scores > own).sum(axis=1) + ties / 2)
    return np.concatenate(found)
