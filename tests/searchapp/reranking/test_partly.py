"""What was scored at the deadline counts, and the rest keeps its order below."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from library.models import Document, Library
from searchapp import reranking
from searchapp.search import Page, search
from tests.factories import People, ready_document
from tests.retrieval.reranker.tiny import OverlapBackend
from tests.searchapp.reranking.conftest import DEADLINE_MS, Use


class StoppingBackend(OverlapBackend):
    """Scores one candidate after the other, and hangs after so many."""

    def __init__(self, candidates: int) -> None:
        super().__init__(token_budget=1)
        self.candidates = candidates

    def forward(self, batch: Any) -> Any:
        self.candidates -= len(batch.input_ids)
        if self.candidates < 0:
            self.gate.clear()
        return super().forward(batch)


@pytest.fixture
def eight(people: People, library: Library) -> Library:
    for number in range(4, 8):
        text = " ".join(f"w{i}" for i in (number, *range(1, 20)))
        ready_document(library, text, f"words-{number}.txt")
    return library


def order(page: Page) -> list[Any]:
    return [hit.chunk.pk for hit in page.hits]


@pytest.mark.parametrize("scored", [1, 4, 5, 7])
def test_what_was_scored_should_stand_above_the_rest_in_its_order(
    people: People, eight: Library, use: Use, scored: int
) -> None:
    first = order(search(people.colleague, "w1 w2", rerank=False))
    use(StoppingBackend(scored))
    page = search(people.colleague, "w1 w2", deadline_ms=DEADLINE_MS)
    assert page.reranked_count == scored
    assert set(order(page)[:scored]) == set(first[:scored]) and order(page)[scored:] == first[scored:]
    assert [hit.scores["rerank"] is not None for hit in page.hits] == [True] * scored + [False] * (8 - scored)
    assert (page.reranked, page.degraded) == ((True, []) if scored >= 5 else (False, ["rerank_timeout"]))


def test_all_should_be_enough_where_there_are_fewer_than_five(
    people: People, library: Library, use: Use
) -> None:
    use(OverlapBackend())
    page = search(people.colleague, "w1 w2", deadline_ms=20_000)
    assert (page.reranked, page.reranked_count, page.total) == (True, 4, 4)


def test_a_passage_in_another_language_should_not_count_among_the_first_five(
    people: People, eight: Library, use: Use
) -> None:
    Document.objects.filter(library=eight).update(language="en")
    second = search(people.colleague, "w1 w2", rerank=False).hits[1].chunk
    Document.objects.filter(pk=second.document_id).update(language="de")
    use(StoppingBackend(4))  # the first, and three after the second
    page = search(people.colleague, "w1 w2", deadline_ms=DEADLINE_MS)
    assert (page.reranked, page.reranked_count, page.degraded) == (True, 4, [])
    assert order(page)[1] == second.pk


def test_the_api_should_say_how_many_were_reranked(
    client: Client, people: People, eight: Library, use: Use
) -> None:
    use(StoppingBackend(6))
    client.force_login(people.colleague)
    asked = {"query": "w1", "deadline_ms": DEADLINE_MS}
    answer = client.post("/api/v1/search", asked, content_type="application/json").json()
    assert (answer["reranked"], answer["reranked_count"], answer["degraded"]) == (True, 6, [])


def test_who_asks_again_should_get_a_deeper_order(people: People, eight: Library, use: Use) -> None:
    use(StoppingBackend(3))
    assert search(people.colleague, "w1 w2", deadline_ms=DEADLINE_MS).reranked_count == 3
    backend = StoppingBackend(5)  # all that are missing
    use(backend)
    assert search(people.colleague, "w1 w2", deadline_ms=20_000).reranked_count == 8
    assert len(backend.runs) == 5


def test_the_score_of_a_part_of_a_passage_should_be_remembered_for_a_while_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def remembered() -> list[str]:
        caches["rerank"].clear()
        made = [0.5, 0.6, math.nan, -math.inf], [True, False, False, False]
        reranking._remember(["whole", "part", "unreadable", "late"], made)
        return sorted(caches["rerank"].get_many(["whole", "part", "unreadable", "late"]))

    assert remembered() == ["part", "unreadable", "whole"]
    monkeypatch.setattr(reranking, "EXCERPT_LASTS_S", 0)
    assert remembered() == ["unreadable", "whole"]
