from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from retrieval.types import Passage
from tests.training.support import corpus, tiny_model, write_tiny_model
from training.adapt import MINIMUM_PASSAGES, _lost, _Parts, adapt
from training.bags import BagMaker
from training.static_model import read_model


def test_adapt_should_rank_held_out_pairs_better_at_every_dimension(tmp_path: Path) -> None:
    base = write_tiny_model(tmp_path / "base")
    shares: list[float] = []

    report = adapt(base, corpus(400), tmp_path / "adapted", progress=shares.append)

    assert report.better
    assert report.held_out_pairs > 0
    for dimensions, after in report.after.items():
        assert after.ndcg_at_10 > report.before[dimensions].ndcg_at_10
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert not np.array_equal(read_model(str(tmp_path / "adapted")).table, read_model(base).table)


def test_adapt_should_give_the_same_model_for_the_same_seed(tmp_path: Path) -> None:
    base = write_tiny_model(tmp_path / "base")

    for name in ("one", "two"):
        adapt(base, corpus(300), tmp_path / name, seed=7)

    assert np.array_equal(read_model(str(tmp_path / "one")).table, read_model(str(tmp_path / "two")).table)


@pytest.mark.parametrize(
    ("documents", "reason"),
    [
        (corpus(MINIMUM_PASSAGES - 1), "199 passages: too few"),
        (
            [[Passage(text="worda1 wordb1 wordc1 wordd1 the end.")] for _ in range(MINIMUM_PASSAGES)],
            "0 pairs",
        ),
    ],
    ids=["few passages", "one sentence each"],
)
def test_adapt_should_leave_the_model_alone(
    tmp_path: Path, documents: list[list[Passage]], reason: str
) -> None:
    report = adapt(write_tiny_model(tmp_path / "base"), documents, tmp_path / "adapted")

    assert not report.better
    assert report.reason.startswith(reason)
    assert not (tmp_path / "adapted").exists()


def test_adapt_should_write_nothing_when_it_is_not_better(tmp_path: Path) -> None:
    """Passages of random words have nothing in common with what is left of them."""
    base = write_tiny_model(tmp_path / "base")
    draw = np.random.default_rng(0)
    words = [f"word{letter}{i}" for letter in "abcdef" for i in range(40)]
    documents = [
        [Passage(text=". ".join(" ".join(draw.choice(words, 5)) for _ in range(3)) + ".")] for _ in range(300)
    ]

    report = adapt(base, documents, tmp_path / "adapted")

    assert report.better == (tmp_path / "adapted").exists()
    assert report.better == (report.after[64].ndcg_at_10 > report.before[64].ndcg_at_10)


def test_adapt_should_learn_the_other_documents_too(tmp_path: Path) -> None:
    base = write_tiny_model(tmp_path / "base")

    alone = adapt(base, corpus(400), tmp_path / "alone")
    beside = adapt(base, corpus(400), tmp_path / "beside", others=corpus(300))

    assert alone.better
    assert beside.better
    assert beside.training_pairs > alone.training_pairs
    assert beside.passages == alone.passages == 400


def test_loss_of_the_others_should_be_what_held_out_pairs_say(tmp_path: Path) -> None:
    model = tiny_model()
    bags = BagMaker(model.tokenizer)
    others = _Parts.of([passage for document in corpus(300) for passage in document], 0, random.Random(0))
    spoilt = model.table.copy()
    spoilt[1:] = 1.0  # every text the same

    assert _lost(bags, others, model.table, model.table, 0) == 0
    assert _lost(bags, others, model.table, spoilt, 0) > 0.05
    assert _lost(bags, _Parts([], []), model.table, spoilt, 0) == 0
