"""One matrix on frozen vectors, trained at one dimension or at several at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from research.smec.memory import Memory
from research.smec.objective import Outputs, Targets, objective
from research.smec.selection import Selection, hard_weights, soft_slope
from retrieval.types import FloatArray
from training.optimizer import LazyAdam
from training.pair_noise import PairVectors


@dataclass(frozen=True, slots=True)
class CompressionPlan:
    """How long and how fast to learn. `dimensions` descend.

    The learning rate is a share of the matrix's root mean square. A stage has converged when an epoch lowers
    its loss by less than `tolerance` of itself.
    """

    dimensions: tuple[int, ...] = (256, 128, 64, 32)
    epochs: int = 6
    tolerance: float = 0.005
    batch_size: int = 128
    learning_rate: float = 0.002
    importance_rate: float = 0.02
    temperature: float = 0.1
    memory_entries: int = 5_000
    neighbours: int = 2


class Stage:
    """A matrix (columns, columns) that begins as the identity.

    `full`: the pairs before any compressing. `inputs`: what the matrix is applied to. With `selection`, the
    columns to keep are drawn anew for every batch; without, they are the first ones.
    """

    def __init__(
        self,
        full: PairVectors,
        inputs: PairVectors,
        plan: CompressionPlan,
        selection: Selection | None,
        memory: Memory | None,
    ) -> None:
        self._full, self._inputs, self._plan = full, inputs, plan
        self._selection, self._memory = selection, memory
        self._matrix = np.eye(inputs.queries.shape[1], dtype=np.float32)
        self._optimizer = LazyAdam(self._matrix)

    def matrix(self) -> FloatArray:
        """(columns, columns), the columns to keep first: a table folded with it truncates."""
        return self._matrix if self._selection is None else self._matrix[:, self._selection.order()]

    def train(self, cuts: Sequence[int], random: np.random.Generator) -> list[float]:
        """Epochs until one brings next to nothing, or until the plan's number of them.

        Returns of each epoch the variance of the gradient over its batches, the mean over those entries of
        the matrix that have a gradient.
        """
        variances: list[float] = []
        before = np.inf
        for _ in range(self._plan.epochs):
            loss, variance = self._epoch(cuts, random)
            variances.append(variance)
            if loss > before * (1 - self._plan.tolerance):
                break
            before = loss
        return variances

    def _epoch(self, cuts: Sequence[int], random: np.random.Generator) -> tuple[float, float]:
        sums, squares, losses = np.zeros_like(self._matrix), np.zeros_like(self._matrix), []
        every_row = np.arange(len(self._matrix))
        rate = self._plan.learning_rate / np.sqrt(len(self._matrix))
        for batch in self._batches(random):
            loss, gradient = self._gradient(batch, cuts, random)
            self._optimizer.step(every_row, gradient, rate)
            sums += gradient
            squares += np.square(gradient)
            losses.append(loss)
        variance = squares / len(losses) - np.square(sums / len(losses))
        return float(np.mean(losses)), float(variance[squares > 0].mean())

    def _batches(self, random: np.random.Generator) -> Iterator[NDArray[np.intp]]:
        count = len(self._full.groups)
        yield from np.array_split(random.permutation(count), max(1, round(count / self._plan.batch_size)))

    def _gradient(
        self, batch: NDArray[np.intp], cuts: Sequence[int], random: np.random.Generator
    ) -> tuple[float, FloatArray]:
        """The loss of all cuts, summed as in MRL, and its gradient by the matrix."""
        remembered, targets = self._targets(batch)
        inputs = [
            self._inputs.queries[batch],
            self._inputs.passages[batch],
            self._inputs.passages[remembered],
        ]
        outputs = Outputs(*(each @ self._matrix for each in inputs))
        columns = -np.arange(len(self._matrix), dtype=np.float32)
        noisy = columns if self._selection is None else self._selection.draw(random)
        total, gradient, by_importance = 0.0, np.zeros_like(self._matrix), np.zeros_like(columns)
        for cut in cuts:
            loss, slopes, by_weight = objective(
                outputs, targets, hard_weights(noisy, cut), self._plan.temperature
            )
            total += loss
            by_importance += soft_slope(noisy, cut, by_weight)
            for vectors, slope in zip(
                inputs, (slopes.queries, slopes.passages, slopes.remembered), strict=True
            ):
                gradient += vectors.T @ slope
        if self._selection is not None:
            self._selection.step(by_importance, self._plan.importance_rate)
        return total, gradient

    def _targets(self, batch: NDArray[np.intp]) -> tuple[NDArray[np.intp], Targets]:
        """The rows of the remembered passages, k for each query in turn, and what the outputs are held to."""
        groups = self._full.groups[batch]
        labels = (groups[:, None] == groups[None]).astype(np.float32)
        if self._memory is None:
            return np.zeros(0, dtype=np.intp), Targets(labels, np.zeros((len(batch), 0), dtype=np.float32))
        rows, full = self._memory.most_similar(self._full.queries[batch], self._plan.neighbours)
        self._memory.add(batch)
        return rows.ravel(), Targets(labels, full)
