"""Axes in which what tells passages apart counts more than what differs within a pair."""

from __future__ import annotations

import numpy as np

from retrieval.types import FloatArray
from training.bags import unit
from training.rotation import principal_axes

# 0.5 would make the noise equal on all axes. Where rows are weighted by rarity, little noise is left to damp.
_EXPONENT = 0.1
# Added to each axis's noise, as a share of the mean: with fewer pairs than axes some have none.
_RIDGE = 0.1


def damp_pair_noise(queries: FloatArray, passages: FloatArray) -> FloatArray:
    """(full, full), symmetric: shrinks the axes on which the two sides of a pair differ.

    `queries` and `passages` (n, full) are the two sides of pairs, self-supervised ones say. Where texts that
    belong together differ much, a difference means little. Within-class covariance normalisation (Hatch,
    Kajarekar and Stolcke, Interspeech 2006), by a fifth. It is no rotation: cosines change at the full
    dimension too. The factors' geometric mean is 1, so that a table keeps its scale.
    """
    noise = unit(queries) - unit(passages)
    variances, axes = np.linalg.eigh((noise.T @ noise).astype(np.float64))
    variances = np.maximum(variances, 0)
    factors = (variances + _RIDGE * variances.mean() + 1e-12) ** -_EXPONENT
    factors /= np.exp(np.log(factors).mean())
    return np.asarray((axes * factors) @ axes.T, dtype=np.float32)


def damped_axes(queries: FloatArray, passages: FloatArray, corpus: FloatArray) -> FloatArray:
    """(full, full): damped pair noise, then the principal axes of `corpus` (n, full) so damped.

    `table @ damped_axes(...)` truncates: the axes of the most energy come first.
    """
    damping = damp_pair_noise(queries, passages)
    return damping @ principal_axes(unit(corpus @ damping))
