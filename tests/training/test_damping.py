from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np

from retrieval.encoder import load_encoder
from tests.training.support import corpus, tiny_model, write_tiny_model
from training.bags import BagMaker
from training.damping import fit_damping
from training.held_out import HeldOut
from training.pairs import sample_pairs
from training.rotation import fold_rotation

PASSAGES = [passage for document in corpus(400) for passage in document]


def test_damping_should_rank_better_the_pairs_of_passages_that_it_has_not_seen() -> None:
    model, numbered = tiny_model(), list(enumerate(PASSAGES))
    seen, unseen = numbered[100:], numbered[:100]
    test = HeldOut.of(BagMaker(model.tokenizer), sample_pairs(unseen, limit=500, seed=0), unseen, seen)
    damped = model.table @ fit_damping(model, [passage for _, passage in seen])
    plain, better = (test.qualities(table, [64])[64] for table in (model.table, damped))
    assert better.ndcg_at_10 > plain.ndcg_at_10 + 0.005


def test_damping_should_be_the_same_each_time() -> None:
    assert np.array_equal(fit_damping(tiny_model(), PASSAGES), fit_damping(tiny_model(), PASSAGES))


def test_single_sentences_should_leave_the_space_as_it_is() -> None:
    single = [replace(passage, text=passage.text.split(".")[0]) for passage in PASSAGES]
    assert np.array_equal(fit_damping(tiny_model(), single), np.eye(64))
    assert np.array_equal(fit_damping(tiny_model(), []), np.eye(64))


def test_damped_and_rotated_table_should_be_as_good_at_the_full_dimension_as_the_damped_one(
    tmp_path: Path,
) -> None:
    base, model = write_tiny_model(tmp_path / "base"), tiny_model()
    assert fold_rotation(base, PASSAGES, 64, tmp_path / "fitted", damp=True)
    texts = [passage.full for passage in random.Random(0).sample(PASSAGES, 20)]
    fitted = load_encoder(str(tmp_path / "fitted")).encode_passages(texts)
    damped = BagMaker(model.tokenizer)(texts) @ (model.table @ fit_damping(model, PASSAGES))
    damped /= np.linalg.norm(damped, axis=1, keepdims=True)
    np.testing.assert_allclose(fitted @ fitted.T, damped @ damped.T, atol=5e-3)
