"""Axes in which what tells passages apart counts more than what differs within a pair."""

from __future__ import annotations

from retrieval.types import FloatArray
from training.bags import unit
from training.damping import damp_pair_noise
from training.rotation import principal_axes


def damped_axes(queries: FloatArray, passages: FloatArray, corpus: FloatArray, exponent: float) -> FloatArray:
    """(full, full): damped pair noise, then the principal axes of `corpus` (n, full) so damped.

    `table @ damped_axes(...)` truncates: the axes of the most energy come first.
    """
    damping = damp_pair_noise(queries, passages, exponent)
    return damping @ principal_axes(unit(corpus @ damping))
