"""Cosines in which each column counts by a weight, with their gradients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from retrieval.types import FloatArray


@dataclass(frozen=True, slots=True)
class Slopes:
    """The gradient of a loss by the vectors of each side and by the weights of the columns."""

    left: FloatArray
    right: FloatArray
    weights: FloatArray


@dataclass(frozen=True, slots=True)
class Weighted:
    """Vectors (n, columns), their lengths (n, 1) under `weights` (columns,), and themselves at length 1.

    A weight of 0 takes a column out; the gradient by that weight says what the column would have brought.
    """

    weights: FloatArray
    lengths: FloatArray
    directions: FloatArray

    @classmethod
    def of(cls, vectors: FloatArray, weights: FloatArray) -> Weighted:
        lengths = np.sqrt(np.square(vectors) @ weights + 1e-12)[:, None]
        return cls(weights, lengths, vectors / lengths)

    def slope(self, pull: FloatArray, along: FloatArray) -> FloatArray:
        """Slopes by the vectors. `pull` (n, columns) is the sum of the other side's directions, and `along`
        (n, 1) the part of it that only lengthens."""
        return np.asarray((pull - along * self.directions) * self.weights / self.lengths)


def cosines(left: Weighted, right: Weighted) -> FloatArray:
    """(n, m): each left vector with each right one."""
    return np.asarray((left.directions * left.weights) @ right.directions.T)


def cosines_slopes(left: Weighted, right: Weighted, similarities: FloatArray, slope: FloatArray) -> Slopes:
    """The gradients, given `slope` (n, m): the loss's by each of `similarities`, which `cosines` gave."""
    product = slope * similarities
    along_left, along_right = product.sum(axis=1)[:, None], product.sum(axis=0)[:, None]
    pull_left, pull_right = slope @ right.directions, slope.T @ left.directions
    by_weight = (left.directions * pull_left).sum(axis=0)
    by_weight -= (
        (along_left * left.directions**2).sum(axis=0) + (along_right * right.directions**2).sum(axis=0)
    ) / 2
    return Slopes(left.slope(pull_left, along_left), right.slope(pull_right, along_right), by_weight)


def paired_cosines(left: Weighted, right: Weighted) -> FloatArray:
    """(n,): each left vector with the right one of the same row."""
    return np.asarray((left.directions * right.directions) @ left.weights)


def paired_slopes(left: Weighted, right: Weighted, similarities: FloatArray, slope: FloatArray) -> Slopes:
    """The gradients, given `slope` (n,): the loss's by each of `similarities`, from `paired_cosines`."""
    slope = slope[:, None]
    along = slope * similarities[:, None]
    by_weight = (slope * left.directions * right.directions).sum(axis=0)
    by_weight -= (along * (left.directions**2 + right.directions**2)).sum(axis=0) / 2
    return Slopes(
        left.slope(slope * right.directions, along), right.slope(slope * left.directions, along), by_weight
    )
