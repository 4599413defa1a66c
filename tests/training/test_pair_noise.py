from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import load_encoder
from retrieval.types import FloatArray
from tests.training.support import corpus, tiny_model, write_tiny_model
from training.bags import BagMaker, unit
from training.contrastive import PairBags
from training.held_out import HeldOut
from training.pair_noise import LEARNED, SHIPPED, PairVectors, damping, self_pairs
from training.pairs import sample_pairs
from training.rotation import fold_rotation, principal_axes
from training.scoring import score
from training.static_model import StaticModel

PASSAGES = [passage for document in corpus(400) for passage in document]


def damped(model: StaticModel, exponent: float = SHIPPED) -> FloatArray:
    """The table that an index version of the passages would have, unturned."""
    return model.table @ damping(PairVectors.of(model.table, sides_of(model)).noise(), exponent)


def sides_of(model: StaticModel) -> PairBags:
    sides = self_pairs(model, PASSAGES[100:])
    assert sides is not None
    return sides


def test_damping_should_rank_better_the_pairs_of_passages_that_it_has_not_seen() -> None:
    model, numbered = tiny_model(), list(enumerate(PASSAGES))
    unseen = numbered[:100]
    pairs = sample_pairs(unseen, limit=500, seed=0)
    test = HeldOut.of(BagMaker(model.tokenizer), pairs, unseen, numbered[100:])
    plain, better = (test.qualities(table, [64])[64] for table in (model.table, damped(model)))
    assert better.ndcg_at_10 > plain.ndcg_at_10 + 0.005


def test_single_sentences_should_make_no_pairs() -> None:
    single = [replace(passage, text=passage.text.split(".")[0]) for passage in PASSAGES]
    assert self_pairs(tiny_model(), single) is None
    assert self_pairs(tiny_model(), []) is None


def sides(count: int = 256, told_apart_by: slice = slice(16, 32)) -> tuple[FloatArray, FloatArray]:
    """(count, 32) each: queries and passages that agree on these columns and on no other."""
    random_ = np.random.default_rng(0)
    queries, passages = (random_.normal(size=(count, 32)).astype(np.float32) for _ in range(2))
    passages[:, told_apart_by] = queries[:, told_apart_by] + 0.3 * passages[:, told_apart_by]
    return unit(queries), unit(passages)


def test_damping_should_shrink_the_axes_on_which_pairs_differ() -> None:
    queries, passages = sides()
    matrix = damping(queries - passages, 0.1)
    sizes = np.diagonal(matrix)
    assert sizes[:16].max() < sizes[16:].min()
    assert matrix == pytest.approx(matrix.T, abs=1e-6)
    assert np.linalg.slogdet(matrix)[1] == pytest.approx(0, abs=1e-2)


def test_damping_should_stand_fewer_pairs_than_dimensions() -> None:
    queries, passages = sides(count=5)
    assert np.isfinite(damping(queries - passages, 0.1)).all()


def test_axes_of_shared_energy_should_keep_more_of_the_ranking_than_those_of_most_energy() -> None:
    queries, passages = sides()
    right = np.arange(len(queries))
    pairs = PairVectors(queries, passages, right)
    by_energy, shared = (principal_axes(passages, known) for known in (None, pairs))
    kept = [score(queries @ axes, passages @ axes, right, dimensions=8) for axes in (by_energy, shared)]
    assert kept[1].ndcg_at_10 > kept[0].ndcg_at_10 + 0.2
    assert shared.T @ shared == pytest.approx(np.eye(32), abs=1e-5)


def test_axes_should_tell_apart_the_passages_that_are_near_to_a_query() -> None:
    """Eight subjects of 100 passages: most energy says which subject, and less which passage of it."""
    random_ = np.random.default_rng(0)
    subjects = 1.3 * np.repeat(np.eye(8), 100, axis=0)
    passages = np.hstack([subjects, 0.4 * random_.normal(size=(800, 24))]).astype(np.float32)
    queries = unit(passages + 0.2 * random_.normal(size=passages.shape).astype(np.float32))
    passages, right = unit(passages), np.arange(800)
    by_energy, near = (
        score(queries @ axes, passages @ axes, right, dimensions=8).ndcg_at_10
        for axes in (
            principal_axes(passages),
            principal_axes(passages, PairVectors(queries, passages, right)),
        )
    )
    assert near > by_energy + 0.2


def test_fitted_table_should_give_the_cosines_of_the_damped_one_at_the_full_dimension(tmp_path: Path) -> None:
    base, model = write_tiny_model(tmp_path / "base"), tiny_model()
    assert fold_rotation(base, PASSAGES[100:], 64, tmp_path / "fitted", learned=False)
    texts = [passage.full for passage in random.Random(0).sample(PASSAGES, 20)]
    fitted = load_encoder(str(tmp_path / "fitted")).encode_passages(texts)
    expected = unit(np.asarray(BagMaker(model.tokenizer)(texts) @ damped(model)))
    np.testing.assert_allclose(fitted @ fitted.T, expected @ expected.T, atol=5e-3)


def test_learned_table_should_be_damped_again_where_it_is_cut(tmp_path: Path) -> None:
    base, model = write_tiny_model(tmp_path / "base"), tiny_model()
    assert fold_rotation(base, PASSAGES[100:], 32, tmp_path / "cut", learned=True)
    bags, table = BagMaker(model.tokenizer), damped(model, LEARNED)
    corpus_vectors = unit(np.asarray(bags([passage.full for passage in PASSAGES[100:]]) @ table))
    axes = principal_axes(corpus_vectors, PairVectors.of(table, sides_of(model)))[:, :32]
    texts = [passage.full for passage in PASSAGES[:20]]
    cut = load_encoder(str(tmp_path / "cut")).encode_passages(texts)
    expected = unit(np.asarray(bags(texts) @ (table @ axes)))
    np.testing.assert_allclose(cut @ cut.T, expected @ expected.T, atol=5e-3)
