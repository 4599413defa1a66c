from __future__ import annotations

import numpy as np

from retrieval.reranker.excerpts import LEAST, excerpt, least
from tests.retrieval.reranker.tiny import WORDS, tiny_reranker


def shown(passage: str, tokens: int, *, query: str = "w1 w2", max_length: int = 320) -> list[str]:
    windows = tiny_reranker(max_length=max_length).tokenize([(query, passage)])
    return [WORDS[id] for id in excerpt(windows, tokens).ids]


def test_an_excerpt_should_hold_the_query_the_beginning_and_the_part_that_adds_most() -> None:
    filler = "w9 " * 60
    words = shown(f"w8 {filler} w5 w2 w7 w1 {filler}", 30)
    assert len(words) == 30
    assert words[:4] == ["[CLS]", "w1", "w2", "[SEP]"] and words[-1] == "[SEP]"
    assert words[4] == "w8" and {"w1", "w2", "w5", "w7"} <= set(words[4:-1])


def test_an_excerpt_should_be_the_beginning_where_no_part_is_better() -> None:
    passage = [f"w{number}" for number in range(10, 50)]
    assert shown(" ".join(passage), 25)[4:-1] == passage[:20]
    assert shown(" ".join(["w1", "w2", *passage]), 25)[4:-1] == ["w1", "w2", *passage[:18]]


def test_a_word_that_comes_often_should_not_outweigh_another_one() -> None:
    assert "w2" in shown("w1 " * 40 + "w9 " * 40 + "w1 w2" + " w9" * 40, 30)[4:]


def test_an_excerpt_should_come_from_the_window_with_the_best_part() -> None:
    passage = "w9 " * 70 + "w1 w2 w30 " + "w9 " * 20
    words = shown(passage, 24, max_length=40)
    assert {"w1", "w2", "w30"} <= set(words[4:]) and len(words) == 24


def test_an_excerpt_should_keep_its_place_and_types() -> None:
    reranker = tiny_reranker(max_length=320)
    windows = [w for w in reranker.tokenize([("w1", "w2"), ("w1 w2", "w9 " * 90)]) if w.place == 1]
    cut = excerpt(windows, 40)
    assert (cut.place, cut.head) == (1, windows[0].head)
    assert np.isfinite(reranker.forward([cut])).all()


def test_a_long_query_should_leave_a_least_part_of_the_passage() -> None:
    windows = tiny_reranker(max_length=320).tokenize([("w1 " * 100, "w2 " * 90)])
    assert len(excerpt(windows, 48).ids) == 100 + 3 + LEAST == least(windows[0])
    short = tiny_reranker().tokenize([("w1", "w2")])
    assert least(short[0]) == len(short[0].ids) == len(excerpt(short, 48).ids)
