from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from research.smec.compress import Compression, compress
from research.smec.losses import rank_loss, similarity_gap
from research.smec.memory import Memory
from research.smec.objective import Outputs, Targets, objective
from research.smec.selection import Selection, hard_weights, soft_slope, soft_weights
from research.smec.stage import CompressionPlan
from training.bags import unit
from training.pair_noise import PairVectors
from training.scoring import score

PLAN = CompressionPlan(dimensions=(16, 8), epochs=3, batch_size=64)
EVERY_COMPRESSION = [
    Compression(sequential, select, memory)
    for sequential in (False, True)
    for select in (False, True)
    for memory in (False, True)
]


def pairs(count: int = 256, columns: int = 32, tell_apart: slice = slice(None)) -> PairVectors:
    """Two sides of a pair agree on the columns `tell_apart` and on no other."""
    random = np.random.default_rng(0)
    queries, passages = (random.normal(size=(count, columns)).astype(np.float32) for _ in range(2))
    passages[:, tell_apart] = queries[:, tell_apart] + 0.3 * passages[:, tell_apart]
    return PairVectors(unit(queries), unit(passages), np.arange(count))


def ndcg(vectors: PairVectors, matrix: np.ndarray) -> float:
    found = score(
        vectors.queries @ matrix,
        vectors.passages @ matrix,
        np.arange(len(vectors.groups)),
        dimensions=matrix.shape[1],
    )
    return found.ndcg_at_10


def slope_of(function: Callable[[np.ndarray], float], at: np.ndarray) -> np.ndarray:
    """Central differences."""
    slope = np.zeros_like(at)
    for index in np.ndindex(*at.shape):
        step = np.zeros_like(at)
        step[index] = 1e-6
        slope[index] = (function(at + step) - function(at - step)) / 2e-6
    return slope


@pytest.mark.parametrize("side", ["queries", "passages", "remembered", "weights"])
def test_objective_gradients_should_match_finite_differences(side: str) -> None:
    random = np.random.default_rng(1)
    outputs = Outputs(random.normal(size=(5, 6)), random.normal(size=(5, 6)), random.normal(size=(10, 6)))
    targets = Targets(np.eye(5) + np.eye(5, k=1) / 2, random.uniform(-1, 1, (5, 2)))
    weights = random.uniform(0.2, 1, 6)

    def loss(value: np.ndarray) -> float:
        if side == "weights":
            return objective(outputs, targets, value, 0.5)[0]
        return objective(replace(outputs, **{side: value}), targets, weights, 0.5)[0]

    _, slopes, by_weight = objective(outputs, targets, weights, 0.5)
    analytic = by_weight if side == "weights" else getattr(slopes, side)
    start = weights if side == "weights" else getattr(outputs, side)

    assert analytic == pytest.approx(slope_of(loss, start), abs=1e-6)
    assert np.abs(analytic).max() > 1e-3


def test_a_column_of_weight_0_should_count_for_nothing_and_still_have_a_slope() -> None:
    random = np.random.default_rng(2)
    whole = [random.normal(size=(4, 6)) for _ in range(2)]
    targets = Targets(np.eye(4), np.zeros((4, 0)))
    none = np.zeros((0, 6))
    weights = np.array([1.0, 1, 1, 1, 0, 0])

    loss, slopes, by_weight = objective(Outputs(*whole, none), targets, weights, 0.5)
    cut, _, _ = objective(Outputs(*(side[:, :4] for side in whole), none[:, :4]), targets, np.ones(4), 0.5)

    assert loss == pytest.approx(cut)
    assert not slopes.queries[:, 4:].any()
    assert by_weight[4:].all()


def test_rank_loss_should_be_the_papers_sum_as_a_mean() -> None:
    random = np.random.default_rng(3)
    similarities, labels = random.uniform(-1, 1, (4, 5)), random.integers(0, 3, (4, 5)).astype(float)
    terms = [
        (labels[i, j] - labels[i, k]) * np.log1p(np.exp(similarities[i, k] - similarities[i, j]))
        for i in range(4)
        for j in range(5)
        for k in range(5)
        if labels[i, j] > labels[i, k]
    ]

    loss, slope = rank_loss(similarities, labels, temperature=1.0)

    assert loss == pytest.approx(np.mean(terms))
    expected = slope_of(lambda at: rank_loss(at, labels, temperature=1.0)[0], similarities)
    assert slope == pytest.approx(expected, abs=1e-7)


def test_rank_loss_without_anything_better_should_be_0() -> None:
    loss, slope = rank_loss(np.ones((2, 2)), np.ones((2, 2)), temperature=1.0)

    assert loss == 0
    assert not slope.any()


def test_similarity_gap_should_pull_towards_the_full_similarity() -> None:
    loss, slope = similarity_gap(np.array([0.9, 0.1]), np.array([0.5, 0.3]))

    assert loss == pytest.approx(0.3)
    assert slope == pytest.approx([0.5, -0.5])


def test_soft_slope_should_match_finite_differences() -> None:
    random = np.random.default_rng(4)
    noisy, pull = random.normal(size=6), random.normal(size=6)

    assert soft_slope(noisy, 2, pull) == pytest.approx(
        slope_of(lambda at: float(soft_weights(at, 2) @ pull), noisy), abs=1e-7
    )


def test_hard_weights_should_keep_the_largest() -> None:
    assert hard_weights(np.array([0.1, 3.0, -1.0, 2.0]), 2).tolist() == [0, 1, 0, 1]


def test_an_untrained_selection_should_keep_the_columns_of_the_most_energy() -> None:
    vectors = np.ones((3, 4), dtype=np.float32) * np.array([1, 4, 2, 3], dtype=np.float32)

    assert Selection(vectors).order().tolist() == [1, 3, 2, 0]


def test_memory_should_forget_first_what_came_first_and_find_the_most_similar() -> None:
    vectors = np.eye(4, dtype=np.float32)
    memory = Memory(vectors, capacity=2)
    assert memory.most_similar(vectors, 1)[0].shape == (4, 0)
    for row in (0, 1, 2):
        memory.add(np.array([row]))

    rows, similarities = memory.most_similar(vectors[[0, 2]] + 0.1 * vectors[1], 1)

    assert rows.tolist() == [[1], [2]]  # row 0 is forgotten
    assert similarities.ravel() == pytest.approx([0.1, 1.0])


@pytest.mark.parametrize("compression", EVERY_COMPRESSION, ids=str)
def test_compress_should_give_a_matrix_for_each_dimension_and_be_deterministic(
    compression: Compression,
) -> None:
    first, again = (compress(pairs(), compression, PLAN, seed=0) for _ in range(2))

    assert {cut: matrix.shape for cut, matrix in first.matrices.items()} == {16: (32, 16), 8: (32, 8)}
    assert all(np.array_equal(first.matrices[cut], again.matrices[cut]) for cut in (16, 8))
    assert list(first.variances) == ([16, 8] if compression.sequential else [0])
    assert all(variance > 0 for variances in first.variances.values() for variance in variances)


@pytest.mark.parametrize("part", [field.name for field in fields(Compression)])
def test_each_part_should_change_what_is_learned(part: str) -> None:
    without = compress(pairs(), Compression(), PLAN, seed=0)
    with_part = compress(pairs(), replace(Compression(), **{part: True}), PLAN, seed=0)

    assert not np.allclose(without.matrices[8], with_part.matrices[8], atol=1e-4)


@pytest.mark.parametrize("select", [False, True])
def test_at_all_dimensions_at_once_the_matrices_should_truncate(select: bool) -> None:
    matrices = compress(pairs(), Compression(select=select), PLAN, seed=0).matrices

    assert np.array_equal(matrices[8], matrices[16][:, :8])


def test_sequential_should_leave_larger_dimensions_as_they_were() -> None:
    both = compress(pairs(), Compression(sequential=True), PLAN, seed=0)
    larger = compress(pairs(), Compression(sequential=True), replace(PLAN, dimensions=(16,)), seed=0)

    assert np.array_equal(both.matrices[16], larger.matrices[16])


def test_training_should_beat_the_cut_where_the_tail_tells_passages_apart() -> None:
    vectors = pairs(tell_apart=slice(16, 32))
    plan = replace(PLAN, epochs=20, learning_rate=0.1)

    learned = compress(vectors, Compression(sequential=True), plan, seed=0).matrices[16]

    assert ndcg(vectors, learned) > ndcg(vectors, np.eye(32, 16, dtype=np.float32)) + 0.2


def test_selection_should_find_the_columns_that_tell_passages_apart() -> None:
    vectors = pairs(tell_apart=slice(24, 32))
    plan = replace(PLAN, dimensions=(8,), epochs=40, learning_rate=0.0, importance_rate=0.1, tolerance=-1)

    learned = compress(vectors, Compression(select=True), plan, seed=0).matrices[8]

    assert set(np.flatnonzero(learned.any(axis=1))) == set(range(24, 32))
