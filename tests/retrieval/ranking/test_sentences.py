from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.encoder import Encoder, load_encoder
from retrieval.index.base import Index
from retrieval.lexical import term_ids
from retrieval.ranking import find
from retrieval.ranking.sentences import READ_DEPTH, SHORT, by_best_sentence, split
from retrieval.ranking.stage import Pool
from retrieval.types import FusedCandidate, Passage
from tests.support.filled_index import asked, filled_index, scope
from tests.support.models import static_model

TOGETHER, APART, OTHER = (str(UUID(int=number)) for number in range(3))
PASSAGES = {
    TOGETHER: Passage("Einstein was born on the mat. The cats sleep in the morning. Dogs barks on the road."),
    APART: Passage("Einstein sleeps on the road. The cats was born in the morning. Dogs barks on the mat."),
    OTHER: Passage("The cats sleep all the morning on the road."),
}


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    return load_encoder(str(static_model(tmp_path / "model")))


@pytest.fixture
def index(tmp_path: Path, encoder: Encoder) -> Iterator[Index]:
    with filled_index(tmp_path / "index", encoder, PASSAGES) as index:
        yield index


def test_passage_with_all_in_one_sentence_should_win(index: Index, encoder: Encoder) -> None:
    """Both passages hold the same words as often, so that their own lexical scores are equal."""
    query = "einstein born mat"
    found = {hit.id: hit for hit in _found(query, index, encoder)}
    assert found[TOGETHER].lexical == pytest.approx(found[APART].lexical)
    level = [FusedCandidate(id, 0.5) for id in (APART, TOGETHER)]
    assert [hit.id for hit in _by_best_sentence(query, level, encoder)] == [TOGETHER, APART]


def test_context_should_count_as_a_sentence(encoder: Encoder) -> None:
    passages = {TOGETHER: Passage("The road is long.", title="Einstein"), APART: Passage("The road is long.")}
    level = [FusedCandidate(APART, 0.5), FusedCandidate(TOGETHER, 0.5)]
    found = _by_best_sentence("einstein", level, encoder, passages)
    assert [hit.id for hit in found] == [TOGETHER, APART]


def test_rare_word_should_count_more_than_a_common_one(encoder: Encoder) -> None:
    passages = {
        APART: Passage("The cats."),
        TOGETHER: Passage("Einstein."),
        OTHER: Passage("The cats sleep."),
    }
    level = [FusedCandidate(id, 0.5) for id in (APART, TOGETHER)]
    query = replace(asked("einstein cats", encoder, passages), lexical_weight=1.0)
    assert [hit.id for hit in by_best_sentence(query, level, _pool(encoder, passages))] == [TOGETHER, APART]


def test_query_with_cjk_in_it_should_keep_the_order(encoder: Encoder) -> None:
    level = [FusedCandidate(id, 0.5) for id in (APART, TOGETHER)]
    assert [c.id for c in _by_best_sentence("einstein born mat", level, encoder)] == [TOGETHER, APART]
    assert _by_best_sentence("einstein born mat 雨", level, encoder) == level


@pytest.mark.parametrize("query", ["", "the", "zzz", "einstein born"])
def test_scores_should_stay_between_0_and_1_and_fall(index: Index, encoder: Encoder, query: str) -> None:
    found = _found(query, index, encoder)
    scores = [hit.score for hit in _by_best_sentence(query, found, encoder)]
    assert len(scores) == len(found)
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_rounding_should_not_tell_equal_sentences_apart(encoder: Encoder) -> None:
    """The last digit of a sum depends on its row, and scaling to 0-1 must not make it all the difference."""
    query = "einstein born morning road cats sleep dogs barks"
    words = query.split()
    drawn = random.Random(1)
    for size in range(2, READ_DEPTH):
        level = [FusedCandidate(str(UUID(int=n)), 0.5) for n in range(size)]
        passages = {hit.id: Passage(f"{query}. {' '.join(drawn.choices(words[:3], k=6))}") for hit in level}
        found = _by_best_sentence(query, level, encoder, passages)
        assert [hit.score for hit in found] == pytest.approx([found[0].score] * size)


def test_candidates_that_are_not_read_should_follow_in_their_order(encoder: Encoder) -> None:
    many = [FusedCandidate(str(UUID(int=n)), 1 - n / 1000, lexical=1.0) for n in range(READ_DEPTH + 3)]
    passages = {hit.id: Passage(f"Dogs barks at cat {n}.") for n, hit in enumerate(many)}
    found = _by_best_sentence("dogs", many, encoder, passages)
    assert [hit.id for hit in found[READ_DEPTH:]] == [hit.id for hit in many[READ_DEPTH:]]


def test_order_should_stay_where_no_passage_is_given(index: Index, encoder: Encoder) -> None:
    found = _found("einstein born mat", index, encoder)
    query = asked("einstein born mat", encoder, PASSAGES)
    assert by_best_sentence(query, found, _pool(encoder, {})) == found


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One sentence is here. And another one is there!", 2),
        ("Dr. Kim takes 3.5 mg of it each day.", 1),
        ("Overview\nThe pump is switched off before it is cleaned.", 1),
        ("아인슈타인은 독일의 울름이라는 도시에서 태어났다。그는 나중에 미국의 프린스턴으로 이주하였다。", 2),
        ("no end", 1),
        ("", 1),
    ],
)
def test_split_should_find_sentences_and_lose_nothing(text: str, sentences: int) -> None:
    spans = split(text)
    assert len(spans) == sentences
    assert "".join(text[start:end] for start, end in spans) == text


@settings(deadline=None)
@given(st.text() | st.text("aB1 .!?。！？\n\t,'-가中\u0301\u3099", max_size=200))
def test_split_should_leave_terms_whole(text: str) -> None:
    parts = b"".join(term_ids(text[start:end]) for start, end in split(text))
    whole = term_ids(text)
    assert sorted(np.frombuffer(parts, np.uint32)) == sorted(np.frombuffer(whole, np.uint32))


def test_split_should_bear_a_long_run_of_full_stops() -> None:
    """An expression that looked ahead at each stop took 9 s for 20,000."""
    started = time.perf_counter()
    assert len(split("a" + "." * 20_000 + "b")) == 2
    assert len(split("a. " * 20_000)) <= 60_000 / SHORT
    assert time.perf_counter() - started < 1


def _found(query: str, index: Index, encoder: Encoder) -> list[FusedCandidate]:
    return find(asked(query, encoder, PASSAGES), scope(index, encoder, PASSAGES))


def _pool(encoder: Encoder, passages: Mapping[str, Passage]) -> Pool:
    return Pool(passages, encoder)


def _by_best_sentence(
    query: str,
    candidates: list[FusedCandidate],
    encoder: Encoder,
    passages: Mapping[str, Passage] = PASSAGES,
) -> list[FusedCandidate]:
    return by_best_sentence(asked(query, encoder, passages), candidates, _pool(encoder, passages))
