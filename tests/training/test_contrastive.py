from __future__ import annotations

import numpy as np
import pytest

from tests.training.support import corpus, tiny_model
from training.bags import BagMaker
from training.contrastive import PairBags, TrainingPlan, pair_bags, train
from training.losses import matryoshka_contrastive
from training.pairs import sample_pairs
from training.scoring import score

PLAN = TrainingPlan(epochs=12, batch_size=128, learning_rate=0.05, dimensions=(64, 32))


def pairs_and_table() -> tuple[PairBags, np.ndarray]:
    model = tiny_model()
    passages = [(i, document[0]) for i, document in enumerate(corpus(200))]
    return pair_bags(BagMaker(model.tokenizer), sample_pairs(passages, limit=1_000, seed=0)), model.table


def test_train_should_lower_the_loss() -> None:
    pairs, table = pairs_and_table()

    losses = train(table, pairs, PLAN, seed=0)

    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])


def test_train_should_be_deterministic_by_seed() -> None:
    tables = []
    for seed in (1, 1, 2):
        pairs, table = pairs_and_table()
        train(table, pairs, PLAN, seed=seed)
        tables.append(table)

    assert np.array_equal(tables[0], tables[1])
    assert not np.array_equal(tables[0], tables[2])


def test_train_should_change_only_tokens_that_occur() -> None:
    pairs, table = pairs_and_table()
    before = table.copy()
    seen = (np.asarray(pairs.queries.sum(axis=0) + pairs.passages.sum(axis=0)) > 0).ravel()

    train(table, pairs, PLAN, seed=0)

    assert np.array_equal(table[~seen], before[~seen])
    assert (table[seen] != before[seen]).any(axis=1).all()


def test_train_should_push_a_hard_negative_away_from_its_query() -> None:
    model = tiny_model()
    query, passage, negative = (BagMaker(model.tokenizer)([text]) for text in ("worda1", "wordb1", "wordc1"))
    before = cosine(query @ model.table, negative @ model.table)

    train(model.table, PairBags(query, passage, np.array([0]), negative), PLAN, seed=0)

    assert cosine(query @ model.table, negative @ model.table) < before
    assert cosine(query @ model.table, passage @ model.table) > cosine(
        query @ model.table, negative @ model.table
    )


def cosine(left: np.ndarray, right: np.ndarray) -> float:
    return float((left @ right.T).item() / np.linalg.norm(left) / np.linalg.norm(right))


@pytest.mark.parametrize("side", ["queries", "passages"])
def test_gradients_should_match_finite_differences(side: str) -> None:
    random = np.random.default_rng(0)
    vectors = {"queries": random.normal(size=(5, 8)), "passages": random.normal(size=(7, 8))}
    excluded = np.zeros((5, 7), dtype=bool)
    excluded[0, 2] = True

    def result(moved: np.ndarray | None = None) -> object:
        values = vectors if moved is None else vectors | {side: moved}
        return matryoshka_contrastive(
            values["queries"], values["passages"], excluded, dimensions=(8, 4, 2), temperature=0.5
        )

    gradient = getattr(result(), side)
    for index in np.ndindex(*vectors[side].shape):
        step = np.zeros_like(vectors[side])
        step[index] = 1e-2
        slope = (result(vectors[side] + step).loss - result(vectors[side] - step).loss) / 2e-2  # type: ignore[attr-defined]
        assert gradient[index] == pytest.approx(slope, abs=3e-3)


def test_score_should_count_ties_half() -> None:
    same = np.ones((4, 2), dtype=np.float32)

    quality = score(same[:1], same, np.array([0]), dimensions=2)

    assert quality.mrr_at_10 == pytest.approx(1 / 2.5)
    assert quality.ndcg_at_10 == pytest.approx(1 / np.log2(3.5))
