from __future__ import annotations

import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import django
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import lexical
from retrieval.lexical import (
    CONTEXT_WEIGHT,
    Lexical,
    TermIds,
    average_length,
    is_cjk,
    query_terms,
    term_ids,
)
from retrieval.stemming import STEMMED
from retrieval.types import Passage

# Real text in every language: Django's translations.
CATALOGS = Path(django.__file__).parent / "conf" / "locale"
CATALOG_OF = {"en": "en_GB", "no": "nb"}
# Words, and what may stand within and between them.
PARTS = [
    "the", "RUNNING", "dogs'", "e-mail", "3.5", "naïve", "dog-dog", "ΟΔΟΣ", "Σ", "İstanbul", "straße", "für",
    "ﬁn", "Ａ１", "ｱﾙﾍﾞ", "한국어", "中文字", "々", "독일", "\u0301", "\u3099", "\u00a8", "²", "_", "'",
    " ", "  ", "\n", "\t", "\x1c", "\x85", "\xa0", "\u2028", "\u200b", "\u3000", ".", "。", "！", "?!",
    "\ud800",
]  # fmt: skip
UNSATURATED = Lexical(k=1e9, b=0.0, average_length=1.0)  # whose weights are counts
texts = st.text() | st.lists(st.sampled_from(PARTS)).map("".join)


def terms(text: str) -> set[int]:
    return set(query_terms(text, ["en"]).ids.tolist())


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


def assert_term_ids_are_those_of_passages(passage: Passage) -> None:
    (vector,) = UNSATURATED.passages([passage])
    counts = Counter(memoryview(term_ids(passage.context, passage.language) * CONTEXT_WEIGHT).cast("I"))
    counts.update(memoryview(term_ids(passage.text, passage.language)).cast("I"))
    assert dict(zip(vector.indices.tolist(), np.rint(vector.values).tolist(), strict=True)) == counts


@pytest.mark.parametrize("language", [*STEMMED, "ja", "ko", "zh_Hans"])
def test_term_ids_should_be_those_of_passages_in_every_language(language: str) -> None:
    catalog = CATALOGS / CATALOG_OF.get(language, language) / "LC_MESSAGES" / "django.po"
    blocks = catalog.read_text(encoding="utf-8").split("\n\n")
    for block in blocks:
        assert_term_ids_are_those_of_passages(Passage(block, title=block[-40:], language=language))


@settings(deadline=None)
@given(texts, texts, st.sampled_from([*STEMMED]))
def test_term_ids_should_be_those_of_passages(text: str, title: str, language: str) -> None:
    assert_term_ids_are_those_of_passages(Passage(text, title=title, language=language))


def test_remembered_words_should_have_a_limit_and_be_safe_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lexical, "_MOST_WORDS", 10)
    expected, known = TermIds("en"), TermIds("en")
    texts = [f"dogs w{number % 30} {'long' * 20}{number}" for number in range(300)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(known.of, texts)) == [expected.of(text) for text in texts]
    assert len(known) <= 10 + 4
    assert max(map(len, known)) < 48


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


@pytest.mark.parametrize(
    ("query", "text", "other"),
    [
        ("XK-4471-B", "Sheet XK-4471-B, of May.", "Sheet B-4471-XK, of May."),
        ("XK4471B", "Sheet XK-4471-B, of May.", "Sheet XK-4471 and 4471-B, of May."),
        ("10.1.0.2", "The host is 10.1.0.2.", "The host is 10.2.0.1."),
        ("1250", "It costs 1,250.00 EUR.", "It costs 1.25 EUR."),
        ("отчет", "Годовой отчёт", "Годовой план"),
        ("りんごの木", "リンゴの木", "ナシの木"),
        ("พักร้อน", "พนักงานลาพักร้อนได้ปีละสิบวัน", "พนักงานทุกคนสวมหมวก"),
    ],
)
def test_a_code_or_spelling_should_match_better_than_its_parts(query: str, text: str, other: str) -> None:
    asked, language = query_terms(query, ["en"]).ids.tolist(), "en"
    right, wrong = (
        set(asked) & set(memoryview(term_ids(each, language)).cast("I")) for each in (text, other)
    )
    assert len(right) > len(wrong)


def test_words_that_marks_join_should_be_no_codes() -> None:
    assert len(memoryview(term_ids("well-known and/or state-of-the-art")).cast("I")) == len(
        memoryview(term_ids("well known and or state of the art")).cast("I")
    )
