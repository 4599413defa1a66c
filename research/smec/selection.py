"""Adaptive dimension selection: learn which columns to keep (ADS of arXiv:2510.12474)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.types import FloatArray
from training.optimizer import LazyAdam


class Selection:
    """One importance for each column, trained through Gumbel-softmax (Jang et al., arXiv:1611.01144).

    `importances` (columns,) start at the logarithm of each column's share of the vectors' energy, so that an
    untrained selection keeps the columns that carry most.
    """

    def __init__(self, vectors: FloatArray) -> None:
        energy = np.square(vectors).mean(axis=0) + 1e-12
        self.importances = np.log(energy / energy.sum()).astype(np.float32)
        self._optimizer = LazyAdam(self.importances[:, None])

    def order(self) -> NDArray[np.intp]:
        """All columns, the most important first."""
        return np.argsort(-self.importances, kind="stable")

    def draw(self, random: np.random.Generator) -> FloatArray:
        """The importances with Gumbel noise: their largest `count` are a draw without replacement."""
        return np.asarray(self.importances + random.gumbel(size=len(self.importances)), dtype=np.float32)

    def step(self, slope: FloatArray, learning_rate: float) -> None:
        """Move the importances against `slope` (columns,)."""
        self._optimizer.step(np.arange(len(slope)), slope[:, None], learning_rate)


def hard_weights(noisy: FloatArray, count: int) -> FloatArray:
    """1 for the `count` largest of `noisy` (columns,), 0 for the others."""
    weights = np.zeros_like(noisy)
    weights[np.argpartition(-noisy, count - 1)[:count]] = 1
    return weights


def soft_weights(noisy: FloatArray, count: int) -> FloatArray:
    """What `hard_weights` is taken to be when the slope is asked for: `count` times the softmax."""
    weights = np.exp(noisy - noisy.max())
    return np.asarray(count * weights / weights.sum(), dtype=noisy.dtype)


def soft_slope(noisy: FloatArray, count: int, slope: FloatArray) -> FloatArray:
    """The slope by `noisy`, given that by `soft_weights(noisy, count)`: the straight-through estimate."""
    soft = soft_weights(noisy, count)
    return np.asarray(soft * (slope - (soft @ slope) / count))
