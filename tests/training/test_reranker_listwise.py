"""Lists of candidates for tuning the cross-encoder."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from training.reranker_listwise import BY_MEANING, BY_WORDS, RANDOM, Lists, padded  # noqa: E402


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
