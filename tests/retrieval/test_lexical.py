from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from retrieval.lexical import Lexical, average_length, is_cjk
from retrieval.types import Passage


def terms(text: str) -> set[int]:
    return set(Lexical().query(text).indices.tolist())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("running dogs", "a dog that runs"),
        ("naïve café", "NAIVE Cafe"),
        ("ＡＢＣ１２３", "abc123"),
        ("독일", unicodedata.normalize("NFD", "독일")),
        ("ｱﾙﾍﾞﾙﾄ", "アルベルト"),
    ],
    ids=["stemming, stop words", "accents, case", "full width", "decomposed Hangul", "half width"],
)
def test_forms_of_a_text_should_give_the_same_terms(one: str, other: str) -> None:
    assert terms(one) == terms(other) != set()


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("태어났나요", ["태어", "어났", "났나", "나요"]),
        ("東京都", ["東京", "京都"]),
        ("シマ梅", ["シマ", "マ梅"]),
        ("2002년", ["2002", "년"]),
        ("IBM한국 지사", ["IBM", "한국", "지사"]),
    ],
)
def test_cjk_runs_should_become_bigrams(text: str, pairs: list[str]) -> None:
    assert terms(text) == set().union(*map(terms, pairs))
    assert len(terms(text)) == len(pairs)


def test_korean_question_should_share_terms_with_an_inflected_answer() -> None:
    assert terms("아인슈타인은 어디에서 태어났나요?") & terms("아인슈타인이 독일에서 태어났다")


def test_context_should_weigh_more_than_text() -> None:
    in_title, in_text = Lexical().passages([Passage("cats", title="dogs"), Passage("dogs", title="cats")])
    dog = terms("dogs").pop()
    assert in_title.values[in_title.indices == dog] > in_text.values[in_text.indices == dog]


def test_longer_passages_should_weigh_less() -> None:
    short, long = Lexical(average_length=10).passages([Passage("dogs"), Passage("dogs " + "cats " * 50)])
    dog = terms("dogs").pop()
    assert short.values[short.indices == dog] > long.values[long.indices == dog]


def test_query_of_stop_words_should_have_no_terms() -> None:
    assert terms("what is the") == terms("") == terms("?!") == set()


def test_vectors_should_have_the_types_that_the_index_takes() -> None:
    (vector,) = Lexical().passages([Passage("dogs and 고양이")])
    assert vector.indices.dtype == np.uint32
    assert vector.values.dtype == np.float32
    assert len(set(vector.indices.tolist())) == len(vector.indices) == 3


def test_lone_surrogates_should_be_ignored() -> None:
    assert terms("dogs \ud800") == terms("dogs")


def test_average_length_should_count_terms_and_weigh_the_context() -> None:
    passages = [Passage("the dogs bark at the cats", title="dogs"), Passage("cats")]
    assert average_length(passages) == pytest.approx((3 + 2 + 1) / 2, abs=1e-3)
    assert average_length([]) == average_length([Passage("the")]) == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [("독일 car", True), ("where is 서울 in the north", False), ("東京", True), ("dogs", False), ("", False)],
)
def test_cjk_should_be_told_from_other_text(text: str, expected: bool) -> None:
    assert is_cjk(text) is expected
