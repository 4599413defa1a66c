"""Lists of candidates for tuning the cross-encoder."""

from __future__ import annotations

from math import log

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from training.reranker.held_out import held_out  # noqa: E402
from training.reranker.lists import Lists, Mix, Split, padded  # noqa: E402
from training.reranker.loop import label_loss, listwise_loss, rates  # noqa: E402

MIX = Mix()
BY_WORDS, BY_MEANING, RANDOM = MIX.by_words, MIX.by_meaning, MIX.random


def lists(labels: list[int]) -> Lists:
    count = len(labels)
    table = np.arange(count * 40).reshape(count, 40) % 50
    return Lists(["q"] * count, ["p"] * 50, np.array(labels), table[:, :24], table[:, 8:])


def test_draw_should_put_the_right_passage_first_or_the_teachers_best() -> None:
    drawn = lists([7, -1]).draw(np.array([0, 1]), np.random.default_rng(0))
    assert drawn.shape == (2, 1 + BY_WORDS + BY_MEANING + RANDOM)
    assert drawn[0, 0] == 7
    assert drawn[1, 0] == 48  # the second query's first by meaning: (40 + 8) % 50


def test_draw_should_take_candidates_of_each_kind_once() -> None:
    made = lists([7])
    row = made.draw(np.array([0]), np.random.default_rng(0))[0]
    by_words, by_meaning = row[1 : 1 + BY_WORDS], row[1 + BY_WORDS : 1 + BY_WORDS + BY_MEANING]
    assert len({*by_words}) == BY_WORDS
    assert {*by_words} <= {*made.by_words[0]}
    assert len({*by_meaning}) == BY_MEANING
    assert {*by_meaning} <= {*made.by_meaning[0]}


def test_padded_should_mark_what_is_there() -> None:
    ids, mask = padded([[5, 6, 7], [8]], "cpu")
    assert ids.shape == (2, 8)
    assert ids[:, :3].tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.sum(1).tolist() == [3, 1]


def test_listwise_loss_should_be_the_divergence_from_the_wanted_order() -> None:
    wanted = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]]))
    assert listwise_loss(wanted + 7, wanted).item() == pytest.approx(0, abs=1e-6)
    even = torch.zeros(2, 3)
    by_hand = [0.5 * log(1.5) + 0.5 * log(0.75), 0.4 * log(0.6) + 0.6 * log(1.8)]
    assert listwise_loss(even, wanted).item() == pytest.approx(sum(by_hand) / 2, abs=1e-5)


def test_label_loss_should_count_labelled_rows_and_a_right_passage_once() -> None:
    scores = torch.log(torch.tensor([[1.0, 3.0, 5.0], [2.0, 9.0, 2.0], [1.0, 1.0, 1.0]]))
    own = torch.tensor([[True, False, False], [True, True, False], [True, False, False]])
    loss = label_loss(scores, torch.tensor([True, True, False]), own)
    assert loss.item() == pytest.approx((log(9) + log(2)) / 2, abs=1e-5)
    assert label_loss(scores, torch.tensor([False] * 3), own).item() == 0


def test_rates_should_end_by_the_clock() -> None:
    found = list(rates(1.0, 0.02))
    assert found
    assert 0 <= min(found) <= max(found) <= 1


def test_nobody_should_learn_from_a_held_out_passage() -> None:
    passages = [f"passage {number}" for number in range(400)]
    unseen = np.flatnonzero(held_out(passages))
    assert 0 < len(unseen) < 30
    random = np.random.default_rng(0)
    tables = [np.array([random.permutation(400)[:width] for _ in range(300)]) for width in (24, 32)]
    made = Lists(["q"] * 300, passages, random.integers(-1, 400, 300), *tables)
    split = Split.of(made)
    assert not {*made.draw(split.train, random, split.allowed).flatten().tolist()} & {*unseen.tolist()}
    assert {*made.draw(split.test, random)[:, 0].tolist()} <= {*unseen.tolist()}


def test_held_out_should_not_depend_on_white_space_or_what_follows_the_chunk() -> None:
    words = [f"word{number}" for number in range(200)]
    assert held_out([" ".join(words[:180])])[0] == held_out(["\n ".join(words)])[0]
