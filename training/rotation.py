"""A rotation of the vector space, fitted to a corpus, that makes cutting and one-bit codes lose less.

A static model is one table, so that a rotation folds into it (`table @ rotation`) and is free when serving.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import Encoder, load_encoder, static_files
from retrieval.index.base import CollectionSpec
from retrieval.types import FloatArray, Passage
from training.bags import unit
from training.pair_noise import LEARNED, SHIPPED, PairVectors, damping, self_pairs
from training.static_model import read_model, write_model

MINIMUM_FITTED = 200
MAXIMUM_FITTED = 20_000
_ITERATIONS = 50
# As many as a leg of a search gives; of so many pairs' first texts, a few at a time to bound the memory.
_NEAREST = 100
_ASKED, _ASKED_AT_ONCE = 1_000, 100


def fold_rotation(
    name_or_folder: str,
    passages: Sequence[Passage],
    dimensions: int,
    output: Path,
    *,
    learned: bool,
    code_dimensions: int | None = None,
) -> bool:
    """Write a static model, cut to `dimensions` and rotated for `passages`, to `output`.

    The axes on which texts that belong together differ are shrunk before (`training.pair_noise`). `learned`:
    a model that has learned the passages has its share of that, and gets another one only where it is cut.
    `code_dimensions`: how many of the first dimensions one-bit codes are made of (None: all). Returns False,
    and writes nothing, where there is no table to fold into or too little to fit to: fewer passages than
    `MINIMUM_FITTED`.

    Raises:
        EncoderUnavailableError: the model cannot be read.
        ValueError: it has fewer dimensions than asked.
    """
    if len(passages) < MINIMUM_FITTED or static_files(name_or_folder) is None:
        return False
    encoder, model = load_encoder(name_or_folder), read_model(name_or_folder)
    if dimensions > encoder.dimensions:
        raise ValueError(
            f"{name_or_folder} has {encoder.dimensions} dimensions, so it cannot be cut to {dimensions}."
        )
    table = model.table
    vectors = encoder.encode_passages([passage.full for passage in passages[:MAXIMUM_FITTED]])
    sides = self_pairs(model, passages, learned=learned)
    if sides and not (learned and dimensions == encoder.dimensions):
        damped = damping(PairVectors.of(table, sides).noise(), LEARNED if learned else SHIPPED)
        table, vectors = table @ damped, vectors @ damped
    pairs = PairVectors.of(table, sides) if sides else None
    rotation = fit_rotation(vectors, dimensions, pairs=pairs, code_dimensions=code_dimensions)
    write_model(replace(model, table=table @ rotation), output)
    return True


def fitted_encoder(
    model: str, passages: Sequence[Passage], scratch: Path, learned: bool, spec: CollectionSpec
) -> Encoder:
    """The encoder of an index version so made: cut, and fitted to the passages where it can be.

    `learned`: the model has learned them. Its files are kept in `scratch`.
    """
    folder = scratch / f"fitted-{spec.coded}-of-{spec.dimensions}"
    fitted = folder.is_dir() or fold_rotation(
        model, passages, spec.dimensions, folder, learned=learned, code_dimensions=spec.code_dimensions
    )
    return load_encoder(str(folder) if fitted else model, spec.dimensions)


def fit_rotation(
    vectors: FloatArray,
    dimensions: int,
    *,
    pairs: PairVectors | None = None,
    code_dimensions: int | None = None,
    seed: int = 0,
) -> FloatArray:
    """(full, dimensions) float32 with orthonormal columns, fitted to `vectors` (n, full).

    The corpus's `principal_axes` first, so that the cut keeps what tells its passages apart; then a rotation
    among the kept ones that brings them close to their signs, since signs of principal components waste bits
    (ITQ: Gong and Lazebnik 2011, doi:10.1109/CVPR.2011.5995432). Only the first `code_dimensions` (None: all)
    become codes, so that only they are turned. At the full dimension no cosine changes.
    """
    vectors = unit(vectors)
    axes = principal_axes(vectors, pairs)[:, :dimensions]
    coded, rest = np.split(axes, [code_dimensions or dimensions], axis=1)
    return np.hstack([coded @ _towards_signs(vectors @ coded, seed), rest]).astype(np.float32)


def principal_axes(vectors: FloatArray, pairs: PairVectors | None = None) -> FloatArray:
    """(full, full): the orthonormal axes of unit `vectors` (n, full), those of the most energy first.

    With `pairs`, those first on which both sides of a pair share the most: since (q - p)² = q² + p² - 2qp,
    that is the passages' energy less half of the noise's. A query has to tell apart the passages that are
    near to it, so that the same is added for these: the energy of each query's nearest about their mean.
    """
    energy = _energy(vectors)
    if pairs is not None:
        energy += _energy_near(pairs.queries, vectors) - _energy(pairs.noise())
    _, axes = np.linalg.eigh(energy)
    return np.asarray(axes[:, ::-1], dtype=np.float32)


def _energy(vectors: FloatArray) -> NDArray[np.float64]:
    return (vectors.T @ vectors).astype(np.float64) / len(vectors)


def _energy_near(queries: FloatArray, passages: FloatArray) -> NDArray[np.float64]:
    """(full, full): of the `_NEAREST` passages of each query, without their mean; of `_ASKED` queries."""
    drawn = np.random.default_rng(0).permutation(len(queries))[:_ASKED]
    nearest = min(_NEAREST, len(passages))
    total = np.zeros((passages.shape[1],) * 2)
    for some in np.array_split(drawn, -(-len(drawn) // _ASKED_AT_ONCE)):
        similarities = unit(queries[some]) @ passages.T
        near = passages[np.argpartition(-similarities, nearest - 1, axis=1)[:, :nearest]]
        total += _energy((near - near.mean(axis=1, keepdims=True)).reshape(-1, passages.shape[1])) * len(some)
    return total / len(drawn)


def _towards_signs(components: FloatArray, seed: int) -> NDArray[np.float32]:
    """The rotation (dimensions, dimensions) that least squares find from components to their own signs."""
    size = components.shape[1]
    start = np.random.default_rng(seed).normal(size=(size, size))
    rotation = np.linalg.qr(start)[0].astype(np.float32)
    for _ in range(_ITERATIONS):
        left, _, right = np.linalg.svd(components.T @ np.sign(components @ rotation))
        rotation = np.asarray(left @ right, dtype=np.float32)
    return rotation
