"""Contrastive training of a static table in numpy and scipy: no torch, minutes on a laptop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from retrieval.types import FloatArray
from training.bags import PASSAGE_TOKENS, QUERY_TOKENS, BagMaker
from training.losses import matryoshka_contrastive
from training.optimizer import LazyAdam
from training.pairs import SelfPair

# Called after each step with the share of the work that is done, 0 to 1, and the step's loss.
Progress = Callable[[float, float], None]


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How long and how fast to learn.

    The learning rate is a share of the table's root mean square, so that tables of any scale learn alike; it
    falls linearly to a tenth of itself.
    """

    epochs: int = 6
    batch_size: int = 1024
    learning_rate: float = 0.03
    temperature: float = 0.1
    dimensions: tuple[int, ...] = (512, 256, 128, 64)


@dataclass(frozen=True, slots=True)
class PairBags:
    """Pairs as bags of tokens (see `BagMaker`), one row each.

    Pairs of one group (a document) are not each other's negatives. `negatives` holds a hard negative for each
    pair, an empty row where there is none.
    """

    queries: csr_matrix
    passages: csr_matrix
    groups: NDArray[np.int64]
    negatives: csr_matrix | None = None

    def first(self, count: int) -> PairBags:
        """The first `count` pairs, without hard negatives."""
        return PairBags(self.queries[:count], self.passages[:count], self.groups[:count])


def pair_bags(bags: BagMaker, pairs: Sequence[SelfPair]) -> PairBags:
    """The pairs as bags; pairs of one passage are not each other's negatives."""
    return PairBags(
        queries=bags([pair.query for pair in pairs], max_tokens=QUERY_TOKENS),
        passages=bags([pair.passage for pair in pairs], max_tokens=PASSAGE_TOKENS),
        groups=np.array([pair.group for pair in pairs]),
    )


def train(
    table: FloatArray,
    pairs: PairBags,
    plan: TrainingPlan,
    *,
    seed: int,
    progress: Progress | None = None,
) -> list[float]:
    """Train `table` (vocabulary, dimensions) in place, and return the loss of each step.

    The same table, pairs, plan and seed give the same bits on one machine with one number of BLAS threads.
    """
    optimizer = LazyAdam(table)
    batches = list(_batches(pairs.queries.shape[0], plan, np.random.default_rng(seed)))
    scale = float(np.sqrt(np.square(table).mean()))
    losses = []
    for step, batch in enumerate(batches):
        rate = plan.learning_rate * scale * (1 - 0.9 * step / len(batches))
        losses.append(_step(table, optimizer, pairs, batch, plan, rate))
        if progress is not None:
            progress((step + 1) / len(batches), losses[-1])
    return losses


def _step(
    table: FloatArray,
    optimizer: LazyAdam,
    pairs: PairBags,
    batch: NDArray[np.intp],
    plan: TrainingPlan,
    rate: float,
) -> float:
    n = len(batch)
    parts = [pairs.queries[batch], pairs.passages[batch]]
    if pairs.negatives is not None:
        negatives = pairs.negatives[batch]
        parts.append(negatives[np.diff(negatives.indptr) > 0])
    rows, bags = compact(vstack(parts, format="csr"))
    vectors = np.asarray(bags @ table[rows], dtype=np.float32)
    groups = pairs.groups[batch]
    excluded = np.zeros((n, len(vectors) - n), dtype=bool)
    excluded[:, :n] = (groups[:, None] == groups[None, :]) & ~np.eye(n, dtype=bool)
    result = matryoshka_contrastive(
        vectors[:n], vectors[n:], excluded, dimensions=plan.dimensions, temperature=plan.temperature
    )
    slope = np.concatenate([result.queries, result.passages])
    optimizer.step(rows, np.asarray(bags.T @ slope, dtype=np.float32), rate)
    return result.loss


def compact(bags: csr_matrix) -> tuple[NDArray[np.intp], csr_matrix]:
    """The tokens that occur in `bags`, ascending, and the bags with just those columns."""
    seen = np.zeros(bags.shape[1], dtype=bool)
    seen[bags.indices] = True
    rows = np.flatnonzero(seen)
    position = np.cumsum(seen, dtype=np.int32) - 1
    return rows, csr_matrix(
        (bags.data, position[bags.indices], bags.indptr), shape=(bags.shape[0], len(rows))
    )


def _batches(count: int, plan: TrainingPlan, random: np.random.Generator) -> Iterator[NDArray[np.intp]]:
    """Shuffled row numbers for every epoch; a remainder too small to contrast joins the batch before it."""
    for _ in range(plan.epochs):
        order = random.permutation(count)
        yield from np.array_split(order, max(1, round(count / plan.batch_size)))
