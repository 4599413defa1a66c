"""Points with clustered vectors for the tests of the index."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import numpy as np

from retrieval.types import Candidate, FloatArray, Point, SparseVector

DIMENSIONS = 32
_CENTRES = np.random.default_rng(7).normal(size=(50, DIMENSIONS))


def vector(number: int) -> FloatArray:
    """Unit length; numbers that are equal modulo 50 lie in one cluster."""
    drawn = _CENTRES[number % 50] + np.random.default_rng(number).normal(size=DIMENSIONS)
    return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def terms(**weights: float) -> SparseVector:
    """`terms(t3=1.0)` is term 3 with weight 1."""
    indices = np.array([int(name[1:]) for name in weights], np.uint32)
    return SparseVector(indices, np.array(list(weights.values()), np.float32))


def identity(number: int) -> str:
    return str(UUID(int=number + 1))


def point(
    number: int,
    *,
    dense: FloatArray | None = None,
    sparse: SparseVector | None = None,
    **payload: str | int | Sequence[str],
) -> Point:
    dense = vector(number) if dense is None else dense
    return Point(identity(number), dense, sparse or terms(t1=1.0), payload)


def ids(candidates: Sequence[Candidate]) -> list[str]:
    return [candidate.id for candidate in candidates]
