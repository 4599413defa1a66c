from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from retrieval.encoder import Encoder, load_encoder
from retrieval.index.base import CollectionSpec, Index
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical
from retrieval.ranking import STAGES, Ranking, Reranking, analyse, find, rank
from retrieval.reranker import RerankerCard
from retrieval.types import Filter, FusedCandidate, Passage, Point
from tests.support.filled_index import asked, filled_index, frequencies, scope
from tests.support.models import static_model

PASSAGES = {
    "00000000-0000-0000-0000-000000000001": Passage("The dog barks.", title="Dogs"),
    "00000000-0000-0000-0000-000000000002": Passage("Cats sleep on the mat."),
    "00000000-0000-0000-0000-000000000003": Passage("아인슈타인은 독일에서 태어났다."),
}
DOG, CAT, EINSTEIN = PASSAGES


@pytest.fixture
def encoder(tmp_path: Path) -> Encoder:
    return load_encoder(str(static_model(tmp_path / "model")))


@pytest.fixture
def index(tmp_path: Path, encoder: Encoder) -> Iterator[Index]:
    with filled_index(tmp_path / "index", encoder, PASSAGES) as index:
        yield index


def ranked(index: Index, encoder: Encoder, text: str, filter: Filter | None = None) -> Ranking:
    return rank(asked(text, encoder, PASSAGES), scope(index, encoder, PASSAGES, filter))


@pytest.mark.parametrize(
    ("query", "expected"),
    [("dogs", DOG), ("where do cats sleep", CAT), ("아인슈타인은 어디에서 태어났나요?", EINSTEIN)],
)
def test_rank_should_find_the_passage(index: Index, encoder: Encoder, query: str, expected: str) -> None:
    best = ranked(index, encoder, query).candidates[0]
    assert best.id == expected
    assert best.dense is not None
    assert best.lexical is not None


def test_filter_should_hold_for_both_legs(index: Index, encoder: Encoder) -> None:
    found = ranked(index, encoder, "dogs", Filter({"library": [CAT]}))
    assert [candidate.id for candidate in found.candidates] == [CAT]


def test_query_without_any_token_should_find_nothing(index: Index, encoder: Encoder) -> None:
    assert ranked(index, encoder, "").candidates == []


def test_steps_should_be_named_in_their_order(index: Index, encoder: Encoder) -> None:
    found = ranked(index, encoder, "dogs")
    assert [step.name for step in found.steps] == ["lexical", "dense", "fused", *STAGES]
    assert found.steps[-1].candidates == found.candidates
    assert all(step.seconds > 0 for step in found.steps)


def test_stage_that_is_taken_out_should_not_be_run(
    index: Index, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(STAGES):
        monkeypatch.delitem(STAGES, name)
    found = ranked(index, encoder, "dogs")
    assert [step.name for step in found.steps] == ["lexical", "dense", "fused"]
    query = asked("dogs", encoder, PASSAGES)
    assert found.candidates == find(query, scope(index, encoder, PASSAGES))


def test_what_cannot_be_read_should_not_be_ranked(index: Index, encoder: Encoder) -> None:
    readable = {DOG: PASSAGES[DOG]}
    searched = replace(
        scope(index, encoder, PASSAGES), read=lambda ids: {id: readable[id] for id in ids if id in readable}
    )
    found = rank(asked("dogs", encoder, PASSAGES), searched)
    assert [candidate.id for candidate in found.candidates] == [DOG]
    assert found.found == len(PASSAGES)


def test_passages_should_be_read_once(index: Index, encoder: Encoder) -> None:
    reads: list[Sequence[str]] = []

    def read(ids: Sequence[str]) -> dict[str, Passage]:
        reads.append(ids)
        return {id: PASSAGES[id] for id in ids}

    reranking = Reranking(lambda query, passages: [1.0] * len(passages), RerankerCard("tiny"))
    rank(asked("dogs", encoder, PASSAGES), replace(scope(index, encoder, PASSAGES), read=read), reranking)
    assert [sorted(ids) for ids in reads] == [sorted(PASSAGES)]


def test_reranker_should_order_the_first_candidates(index: Index, encoder: Encoder) -> None:
    """It cannot read one of them, which keeps its place, and it is given two."""
    asked_of: list[Sequence[str]] = []

    def score(query: str, passages: Sequence[str]) -> list[float]:
        asked_of.append(passages)
        return [float("nan"), 1.0]

    query, searched = asked("dogs cats", encoder, PASSAGES), scope(index, encoder, PASSAGES)
    before = rank(query, searched)
    after = rank(query, searched, Reranking(score, RerankerCard("tiny", weight=1.0), depth=2))
    first, second = (candidate.id for candidate in before.candidates[:2])
    assert asked_of == [[PASSAGES[first].full, PASSAGES[second].full]]
    assert after.candidates == before.candidates
    assert after.rerank_scores == {second: 1.0}
    assert after.steps[-1].name == "reranked"


def test_passages_in_a_language_that_the_reranker_does_not_read_should_not_be_scored(
    index: Index, encoder: Encoder
) -> None:
    reranking = Reranking(lambda query, passages: [1.0] * len(passages), RerankerCard("t", frozenset({"en"})))
    german = {id: replace(passage, language="de") for id, passage in PASSAGES.items()}
    found = rank(asked("dogs", encoder, PASSAGES), scope(index, encoder, german), reranking)
    assert found.rerank_scores == {}


def test_reason_why_nothing_was_reranked_should_be_told(index: Index, encoder: Encoder) -> None:
    reranking = Reranking(lambda query, passages: "busy", RerankerCard("tiny"))
    query, searched = asked("dogs", encoder, PASSAGES), scope(index, encoder, PASSAGES)
    found = rank(query, searched, reranking)
    assert (found.not_reranked, found.candidates) == ("busy", rank(query, searched).candidates)
    assert [step.name for step in found.steps][-1] != "reranked"


@pytest.mark.parametrize("query", ["dogs", "dogs cats mat", "zebra dogs", "cats bark"])
def test_passages_that_the_filter_hides_should_have_no_influence(tmp_path: Path, query: str) -> None:
    """Beside others, the same readable passages have the same scores in the same order, to the last bit."""
    encoder = load_encoder(str(static_model(tmp_path / "model")))
    own = [Passage(text) for text in ("The dog barks.", "Dogs and cats sleep.", "Cats sleep on the mat.")]
    foreign = [Passage(text) for text in ("dogs dogs", "dogs bark", "zebra mat", "Die Hunde und die Katzen")]
    alone, beside = (
        _searched(tmp_path / name, encoder, own, others, query)
        for name, others in (("alone", []), ("beside", foreign * 5))
    )
    assert alone == beside != []


def _searched(
    folder: Path, encoder: Encoder, own: list[Passage], others: list[Passage], query: str
) -> list[FusedCandidate]:
    index = EdgeIndex(folder)
    index.create("chunks", CollectionSpec(encoder.dimensions))
    passages = own + others
    rows = zip(
        encoder.encode_passages([passage.full for passage in passages]),
        Lexical().passages(passages),
        strict=True,
    )
    index.upsert(
        "chunks",
        [
            Point(str(UUID(int=number)), *row, payload={"library": "own" if number < len(own) else "other"})
            for number, row in enumerate(rows)
        ],
    )
    read = {str(UUID(int=number)): passage for number, passage in enumerate(own)}
    searched = scope(index, encoder, read, Filter({"library": ["own"]}))
    found = rank(analyse(query, encoder, [frequencies(own)]), searched).candidates
    index.close()
    return [*found]
