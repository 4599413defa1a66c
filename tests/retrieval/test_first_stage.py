from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from retrieval import neighbours
from retrieval.encoder import Encoder, load_encoder
from retrieval.first_stage import first_stage
from retrieval.index.base import CollectionSpec, Index
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical
from retrieval.types import Filter, FusedCandidate, Passage, Point
from tests.support.filled_index import filled_index
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


@pytest.mark.parametrize(
    ("query", "expected"),
    [("dogs", DOG), ("where do cats sleep", CAT), ("아인슈타인은 어디에서 태어났나요?", EINSTEIN)],
)
def test_first_stage_should_find_the_passage(
    index: Index, encoder: Encoder, query: str, expected: str
) -> None:
    best = first_stage(index, "chunks", encoder, Lexical(), query)[0]
    assert best.id == expected
    assert best.dense is not None
    assert best.lexical is not None


def test_filter_should_hold_for_both_legs(index: Index, encoder: Encoder) -> None:
    found = first_stage(index, "chunks", encoder, Lexical(), "dogs", filter=Filter({"library": [CAT]}))
    assert [candidate.id for candidate in found] == [CAT]


def test_limit_should_cut_the_fused_list(index: Index, encoder: Encoder) -> None:
    assert len(first_stage(index, "chunks", encoder, Lexical(), "dogs cats", limit=2)) == 2


def test_query_without_any_token_should_find_nothing(index: Index, encoder: Encoder) -> None:
    assert first_stage(index, "chunks", encoder, Lexical(), "") == []


def test_neighbours_should_be_passages_that_the_filter_lets_through(tmp_path: Path) -> None:
    """Of the same readable passages, others' change neither the order nor the scores."""
    encoder = load_encoder(str(static_model(tmp_path / "model")))
    own = [Passage(text) for text in ("The dog barks.", "Dogs and cats sleep.", "Cats sleep on the mat.")]
    foreign = [Passage("dogs dogs"), Passage("dogs bark")]
    alone, beside = (
        _searched(tmp_path / name, encoder, own, others, "dogs")
        for name, others in (("alone", []), ("beside", foreign))
    )
    assert [hit.id for hit in alone] == [hit.id for hit in beside]
    assert [hit.score for hit in alone] == pytest.approx([hit.score for hit in beside])


def test_first_stage_should_look_at_the_neighbours(
    index: Index, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = first_stage(index, "chunks", encoder, Lexical(), "dogs")
    monkeypatch.setattr(neighbours, "WEIGHT", 0)
    alone = {hit.id: hit.score for hit in first_stage(index, "chunks", encoder, Lexical(), "dogs")}
    assert found[0].score < alone[found[0].id]
    assert found[-1].score > alone[found[-1].id]


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
    found = first_stage(index, "chunks", encoder, Lexical(), query, filter=Filter({"library": ["own"]}))
    index.close()
    return found
