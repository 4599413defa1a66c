"""Learning matrices that make vectors smaller, with the parts of SMEC switched on one by one."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from research.smec.memory import Memory
from research.smec.selection import Selection
from research.smec.stage import CompressionPlan, Stage
from retrieval.types import FloatArray
from training.pair_noise import PairVectors


@dataclass(frozen=True, slots=True)
class Compression:
    """Which parts of SMEC are on. None of them: one matrix trained at all dimensions at once (MRL).

    `sequential` (SMRL): D to D/2 to D/4, each matrix trained to convergence, then frozen and built upon.
    `select` (ADS): the columns to keep are learned, where otherwise the first ones are kept.
    `memory` (S-XBM): similarities to earlier passages are held where they were before compressing.
    """

    sequential: bool = False
    select: bool = False
    memory: bool = False


@dataclass(frozen=True, slots=True)
class Compressed:
    """`matrices`: for each dimension one of (full, dimension), to fold into the table that serves it.

    `variances`: the gradient's in each epoch, by the dimension that was trained (0: all at once).
    """

    matrices: dict[int, FloatArray] = field(default_factory=dict)
    variances: dict[int, list[float]] = field(default_factory=dict)


def compress(pairs: PairVectors, compression: Compression, plan: CompressionPlan, *, seed: int) -> Compressed:
    """Learn from `pairs` how to make vectors smaller: arXiv:2510.12474, with linear layers.

    Not sequential, the matrices are the first columns of one, so that its table truncates as Matryoshka's.
    Sequential, each builds on the one before, which training it cannot disturb. The same arguments give the
    same matrices on one machine.
    """
    random = np.random.default_rng(seed)

    def stage(inputs: PairVectors) -> Stage:
        selection = Selection(inputs.passages) if compression.select else None
        entries = min(plan.memory_entries, len(pairs.groups))
        memory = Memory(pairs.passages, entries) if compression.memory else None
        return Stage(pairs, inputs, plan, selection, memory)

    compressed = Compressed()
    if not compression.sequential:
        only = stage(pairs)
        compressed.variances[0] = only.train(plan.dimensions, random)
        compressed.matrices.update({cut: only.matrix()[:, :cut] for cut in plan.dimensions})
        return compressed
    folded = np.eye(pairs.queries.shape[1], dtype=np.float32)
    for cut in plan.dimensions:
        step = stage(pairs.through(folded))
        compressed.variances[cut] = step.train([cut], random)
        folded = folded @ step.matrix()[:, :cut]
        compressed.matrices[cut] = folded
    return compressed
