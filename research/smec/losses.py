"""The two losses of SMEC (Zhang et al. 2025, arXiv:2510.12474), each with its slope by the similarities."""

from __future__ import annotations

import numpy as np

from retrieval.types import FloatArray


def rank_loss(similarities: FloatArray, labels: FloatArray, temperature: float) -> tuple[float, FloatArray]:
    """The sum of 1(y_ij > y_ik) (y_ij - y_ik) log(1 + exp(s_ik - s_ij)), as a mean over those (i, j, k).

    `similarities` and `labels` (n, m), labels not below 0: how relevant passage j is to query i. Cosines
    differ by 2 at the most, where the logarithm is almost a line; so s is the cosine by `temperature`.
    """
    rows, better = np.nonzero(labels > 0)
    lead = np.maximum(labels[rows, better][:, None] - labels[rows], 0)
    behind = (similarities[rows] - similarities[rows, better][:, None]) / temperature
    count = max(int(np.count_nonzero(lead)), 1)
    loss = float((lead * np.logaddexp(0, behind)).sum() / count)
    pressure = lead / (count * temperature * (1 + np.exp(-behind)))
    slope = np.zeros_like(similarities)
    np.add.at(slope, rows, pressure)
    np.add.at(slope, (rows, better), -pressure.sum(axis=1))
    return loss, slope


def similarity_gap(similarities: FloatArray, full: FloatArray) -> tuple[float, FloatArray]:
    """The sum of |sim(e_i, e_j) - sim(e_i[:d], e_j[:d])| as a mean over the pairs (n,)."""
    gap = similarities - full
    return float(np.abs(gap).mean()), np.asarray(np.sign(gap) / len(gap), dtype=similarities.dtype)
