"""Losses on the vectors of a batch, with their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.types import FloatArray


@dataclass(frozen=True, slots=True)
class Gradients:
    """A loss, and its gradient by each query and passage vector."""

    loss: float
    queries: FloatArray
    passages: FloatArray


def matryoshka_contrastive(
    queries: FloatArray,
    passages: FloatArray,
    excluded: NDArray[np.bool_],
    *,
    dimensions: Sequence[int],
    temperature: float,
) -> Gradients:
    """In-batch contrastive loss, both directions, averaged over cuts to the first `dimensions`.

    `queries` (n, d) and `passages` (n or more, d) need no unit length: cosines are taken at each cut.
    Passage i belongs to query i; those from n on are nobody's (hard negatives). `excluded` (n, passages)
    marks pairs that do not count as negatives.
    InfoNCE: van den Oord et al., arXiv:1807.03748; cuts: Kusupati et al., arXiv:2205.13147.

    The products at a cut are those at the cut before plus one block's, so all cuts cost one full product.
    """
    cuts = sorted(dimensions)
    blocks = list(zip([0, *cuts[:-1]], cuts, strict=True))
    products = np.zeros((len(queries), len(passages)), dtype=np.float32)
    squares_q = np.zeros((len(queries), 1), dtype=np.float32)
    squares_p = np.zeros((1, len(passages)), dtype=np.float32)
    total = 0.0
    by_cut = []
    for start, end in blocks:
        products += queries[:, start:end] @ passages[:, start:end].T
        squares_q += np.square(queries[:, start:end]).sum(axis=1, keepdims=True)
        squares_p += np.square(passages[:, start:end]).sum(axis=1)[None]
        scale_q = 1 / np.sqrt(squares_q + 1e-12)
        scale_p = 1 / np.sqrt(squares_p + 1e-12)
        cosines = products * scale_q
        cosines *= scale_p
        loss, slope = _info_nce(cosines, excluded, temperature)
        total += loss / len(cuts)
        slope /= len(cuts)
        cosines *= slope
        pull_q = cosines.sum(axis=1, keepdims=True) * scale_q**2
        pull_p = cosines.sum(axis=0, keepdims=True) * scale_p**2
        slope *= scale_q
        slope *= scale_p
        by_cut.append((slope, pull_q, pull_p))
    gradient_q = np.empty_like(queries)
    gradient_p = np.empty_like(passages)
    slopes, pulls_q, pulls_p = np.zeros_like(products), np.zeros_like(squares_q), np.zeros_like(squares_p)
    for (start, end), (slope, pull_q, pull_p) in zip(reversed(blocks), reversed(by_cut), strict=True):
        slopes, pulls_q, pulls_p = slope + slopes, pull_q + pulls_q, pull_p + pulls_p
        gradient_q[:, start:end] = slopes @ passages[:, start:end] - pulls_q * queries[:, start:end]
        gradient_p[:, start:end] = slopes.T @ queries[:, start:end] - pulls_p.T * passages[:, start:end]
    return Gradients(total, gradient_q, gradient_p)


def _info_nce(
    cosines: FloatArray, excluded: NDArray[np.bool_], temperature: float
) -> tuple[float, FloatArray]:
    """The mean of both directions' cross-entropies, and its slope by each cosine."""
    n = len(cosines)
    own = np.arange(n)
    # Cosines are at most 1, so one shift keeps every exponential within float32.
    weights = np.exp((cosines - 1) / temperature)
    weights[excluded] = 0
    rows = weights.sum(axis=1, keepdims=True)
    columns = weights[:, :n].sum(axis=0, keepdims=True)
    logits = (cosines[own, own] - 1) / temperature
    loss = float((np.log(rows[:, 0]) + np.log(columns[0]) - 2 * logits).mean()) / 2
    slope = weights / rows
    slope[:, :n] += weights[:, :n] / columns
    slope[own, own] -= 2
    slope *= 1 / (2 * n * temperature)
    return loss, slope


def cosine_distance(vectors: FloatArray, targets: FloatArray) -> tuple[float, FloatArray]:
    """The mean of 1 - cosine between rows, and its gradient by `vectors`. `targets` have unit rows."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-12
    directions = vectors / lengths
    cosines = (directions * targets).sum(axis=1, keepdims=True)
    gradient = (directions * cosines - targets) / (lengths * len(vectors))
    return float(1 - cosines.mean()), np.asarray(gradient, dtype=np.float32)
