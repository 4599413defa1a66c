"""Distillation: the table learns to give a text the vector that the teacher gives it."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from retrieval.types import FloatArray
from training.contrastive import Progress, compact
from training.losses import cosine_distance
from training.optimizer import LazyAdam


def distill(
    table: FloatArray,
    bags: csr_matrix,
    targets: FloatArray,
    *,
    epochs: int,
    seed: int,
    batch_size: int = 512,
    learning_rate: float = 0.002,
    progress: Progress | None = None,
) -> None:
    """Train the first columns of `table` in place towards `targets` (texts, d), unit rows.

    The loss is the cosine distance at d, and at d/2 and d/4 for what is cut later.
    """
    optimizer = LazyAdam(table)
    random = np.random.default_rng(seed)
    full = targets.shape[1]
    batches = [
        batch
        for _ in range(epochs)
        for batch in np.array_split(random.permutation(len(targets)), max(1, len(targets) // batch_size))
    ]
    for step, batch in enumerate(batches):
        rows, some = compact(bags[batch])
        vectors = np.asarray(some @ table[rows], dtype=np.float32)
        slope = np.zeros_like(vectors)
        loss = 0.0
        for cut in (full, full // 2, full // 4):
            goal = targets[batch, :cut]
            goal = goal / np.linalg.norm(goal, axis=1, keepdims=True)
            part, gradient = cosine_distance(vectors[:, :cut], goal)
            slope[:, :cut] += gradient
            loss += part / 3
        rate = learning_rate * (1 - 0.9 * step / len(batches))
        optimizer.step(rows, np.asarray(some.T @ slope, dtype=np.float32), rate)
        if progress is not None:
            progress((step + 1) / len(batches), loss)
