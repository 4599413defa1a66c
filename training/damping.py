"""Shrinking the axes of a static model's space on which texts that belong together differ.

It is a matrix, which folds into the table (`table @ damping`) and is free when serving.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np

from retrieval.types import FloatArray, Passage
from training.bags import BagMaker, unit
from training.contrastive import pair_bags
from training.pairs import sample_pairs
from training.static_model import StaticModel

# 0.5 would make the noise equal on all axes, which is too much for some corpora. A table that has learned the
# corpus has weighed its rows by rarity, and has little noise left to damp.
SHIPPED, LEARNED = 0.25, 0.1
# Added to each axis's noise, as a share of the mean: with fewer pairs than axes some have none.
_RIDGE = 0.1
_LEAST_PAIRS, _MOST_PAIRS, _MOST_PASSAGES = 400, 5_000, 5_000


def fit_damping(model: StaticModel, passages: Sequence[Passage]) -> FloatArray:
    """(full, full) for a model that has not learned the `passages`, by pairs made of them.

    The identity where they make too few: a corpus of single sentences without titles makes none.
    """
    some = random.Random(0).sample(passages, min(_MOST_PASSAGES, len(passages)))
    pairs = sample_pairs(list(enumerate(some)), limit=_MOST_PAIRS, seed=0)
    if len(pairs) < _LEAST_PAIRS:
        return np.eye(model.table.shape[1], dtype=np.float32)
    sides = pair_bags(BagMaker(model.tokenizer), pairs)
    return damp_pair_noise(sides.queries @ model.table, sides.passages @ model.table, SHIPPED)


def damp_pair_noise(queries: FloatArray, passages: FloatArray, exponent: float) -> FloatArray:
    """(full, full), symmetric: shrinks the axes on which the two sides of a pair differ.

    `queries` and `passages` (n, full) are the two sides of pairs, self-supervised ones say. Where texts that
    belong together differ much, a difference means little: each axis shrinks by its noise's variance to the
    power of `exponent`. Within-class covariance normalisation (Hatch, Kajarekar and Stolcke, Interspeech
    2006), where that is 0.5. It is no rotation: cosines change at the full dimension too. The factors'
    geometric mean is 1, so that a table keeps its scale.
    """
    noise = unit(queries) - unit(passages)
    variances, axes = np.linalg.eigh((noise.T @ noise).astype(np.float64))
    variances = np.maximum(variances, 0)
    factors = (variances + _RIDGE * variances.mean() + 1e-12) ** -exponent
    factors /= np.exp(np.log(factors).mean())
    return np.asarray((axes * factors) @ axes.T, dtype=np.float32)
