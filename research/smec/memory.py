"""Selectable cross-batch memory: earlier passages to compare queries with (S-XBM, arXiv:2510.12474)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from retrieval.types import FloatArray


class Memory:
    """The last `capacity` rows of `vectors` (n, full; unit length) that were added, first in, first out.

    The vectors are frozen while compressing, so that row numbers stand for them and no entry grows stale.
    """

    def __init__(self, vectors: FloatArray, capacity: int) -> None:
        self._vectors = vectors
        self._capacity = capacity
        self._rows = np.zeros(0, dtype=np.intp)

    def add(self, rows: NDArray[np.intp]) -> None:
        self._rows = np.concatenate([self._rows, rows])[-self._capacity :]

    def most_similar(self, queries: FloatArray, count: int) -> tuple[NDArray[np.intp], FloatArray]:
        """The rows of the `count` entries most similar to each of `queries` (n, full), and how similar.

        Both (n, count), with fewer columns while the memory holds fewer.
        """
        count = min(count, len(self._rows))
        if not count:
            return np.zeros((len(queries), 0), dtype=np.intp), np.zeros((len(queries), 0), dtype=np.float32)
        similarities = queries @ self._vectors[self._rows].T
        best = np.argpartition(-similarities, count - 1, axis=1)[:, :count]
        return self._rows[best], np.take_along_axis(similarities, best, axis=1)
