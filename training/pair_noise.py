"""What differs within pairs of texts that belong together: of two texts, that much difference means little.

Matrices made of it fold into a static model's table (`table @ matrix`) and are free when serving.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.types import FloatArray, Passage
from training.bags import BagMaker, unit
from training.contrastive import PairBags, pair_bags
from training.pairs import sample_pairs
from training.static_model import StaticModel

# How far `damping` goes; 0.5 would make the noise equal on all axes, which is too much for some corpora. A
# table that has learned the corpus has weighed its rows by rarity, and has little noise left to damp.
SHIPPED, LEARNED = 0.25, 0.15
# Added to each axis's noise, as a share of the mean: with fewer pairs than axes some have none.
_RIDGE = 0.1
_LEAST_PAIRS, _MOST_PASSAGES = 400, 5_000
# With the second number 128 dimensions of a learned table keep 0.2 % more of its nDCG@10, and all dimensions
# of the shipped one 0.2 % less.
_MOST_PAIRS_SHIPPED, _MOST_PAIRS_LEARNED = 5_000, 20_000


def self_pairs(model: StaticModel, passages: Sequence[Passage], *, learned: bool = False) -> PairBags | None:
    """Pairs enough to know the noise by; None for too few, as single sentences without titles make.

    `learned`: the model has learned the passages.
    """
    limit = _MOST_PAIRS_LEARNED if learned else _MOST_PAIRS_SHIPPED
    some = random.Random(0).sample(passages, min(_MOST_PASSAGES, len(passages)))
    pairs = sample_pairs(list(enumerate(some)), limit=limit, seed=0)
    return pair_bags(BagMaker(model.tokenizer), pairs) if len(pairs) >= _LEAST_PAIRS else None


@dataclass(frozen=True, slots=True)
class PairVectors:
    """Both sides of pairs as vectors (pairs, columns); pairs of one group belong together too."""

    queries: FloatArray
    passages: FloatArray
    groups: NDArray[np.int64]

    @classmethod
    def of(cls, table: FloatArray, pairs: PairBags) -> PairVectors:
        """Both sides as unit vectors."""
        queries, passages = pairs.queries @ table, pairs.passages @ table
        return cls(unit(np.asarray(queries)), unit(np.asarray(passages)), pairs.groups)

    def through(self, matrix: FloatArray) -> PairVectors:
        return PairVectors(self.queries @ matrix, self.passages @ matrix, self.groups)

    def noise(self) -> FloatArray:
        """(pairs, columns): what differs within them, at unit length."""
        return unit(self.queries) - unit(self.passages)


def damping(noise: FloatArray, exponent: float) -> FloatArray:
    """(full, full), symmetric: shrinks each axis by the variance of the noise (n, full) to the `exponent`.

    Within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech 2006), where that is 0.5.
    It is no rotation: cosines change at the full dimension too. The factors' geometric mean is 1, so that a
    table keeps its scale.
    """
    variances, axes = np.linalg.eigh((noise.T @ noise).astype(np.float64))
    variances = np.maximum(variances, 0)
    factors = (variances + _RIDGE * variances.mean() + 1e-12) ** -exponent
    factors /= np.exp(np.log(factors).mean())
    return np.asarray((axes * factors) @ axes.T, dtype=np.float32)
