"""Adam for a table of which each step touches few rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.types import FloatArray

_DECAY_MEAN, _DECAY_SQUARE, _EPSILON = 0.9, 0.999, 1e-8
# Rows handled at once: three of these blocks fit a core's cache.
_BLOCK = 128


class LazyAdam:
    """Adam (Kingma and Ba, arXiv:1412.6980) that updates touched rows only, as torch's SparseAdam does."""

    def __init__(self, table: FloatArray) -> None:
        self._table = table
        self._means = np.zeros_like(table)
        self._squares = np.zeros_like(table)
        self._steps = 0

    def step(self, rows: NDArray[np.intp], gradient: FloatArray, learning_rate: float) -> None:
        """Update `rows` (unique) of the table in place by `gradient` (rows, dimensions)."""
        self._steps += 1
        rate = learning_rate / (1 - _DECAY_MEAN**self._steps)
        root = np.float32(1 / np.sqrt(1 - _DECAY_SQUARE**self._steps))
        for start in range(0, len(rows), _BLOCK):
            some, slope = rows[start : start + _BLOCK], gradient[start : start + _BLOCK]
            mean = self._means[some]
            mean *= _DECAY_MEAN
            mean += (1 - _DECAY_MEAN) * slope
            self._means[some] = mean
            square = self._squares[some]
            square *= _DECAY_SQUARE
            square += (1 - _DECAY_SQUARE) * np.square(slope)
            self._squares[some] = square
            np.sqrt(square, out=square)
            square *= root
            square += _EPSILON
            mean /= square
            mean *= rate
            self._table[some] -= mean
