"""A pair that was scored a moment ago is not scored again."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from library.models import Library
from searchapp.search import search
from tests.factories import People, ready_document
from tests.retrieval.reranker.tiny import OverlapBackend
from tests.searchapp.reranking.conftest import Use

FOLLOWS = 'hx-trigger="load"'  # the page asks for the last order


def order(page: str) -> list[str]:
    return re.findall('id="group-([^"]+)"', page)


def test_what_was_scored_should_not_be_scored_again(
    client: Client, people: People, library: Library, use: Use, settings: Any
) -> None:
    def page(stage: str) -> str:
        address = {"q": "w1 w2", "stage": stage}
        return client.get("/", address, headers={"hx-request": "true"}).content.decode()

    backend = OverlapBackend()
    batching = use(backend)
    settings.RERANK_DEADLINE_MS = 20_000
    client.force_login(people.colleague)
    assert FOLLOWS in page("first") and not backend.runs
    best = page("best")
    batching.close()  # whatever comes now is remembered
    for shown in (page("first"), page("best"), client.get("/", {"q": "w1 w2"}).content.decode()):
        assert FOLLOWS not in shown and order(shown) == order(best)
    assert search(people.colleague, "w2 w1").degraded == ["rerank_unavailable"]
    settings.RERANKER = "another/model"
    assert FOLLOWS in page("first")


def test_only_new_passages_should_be_scored_and_none_for_those_who_may_not_read_them(
    people: People, library: Library, use: Use
) -> None:
    backend = OverlapBackend()
    use(backend)
    before = search(people.colleague, "w1 w2", deadline_ms=20_000)
    ran = sum(map(len, backend.runs))
    ready_document(library, "w1 w2 w1 w2", "new.txt")
    after = search(people.colleague, "w1 w2", deadline_ms=20_000)
    assert sum(map(len, backend.runs)) == ran + 1
    assert after.reranked and after.total == before.total + 1
    scores = {hit.chunk.pk: hit.scores["rerank"] for hit in after.hits}
    assert all(scores[hit.chunk.pk] == hit.scores["rerank"] for hit in before.hits)
    assert not search(people.outsider, "w1 w2", deadline_ms=20_000).hits
