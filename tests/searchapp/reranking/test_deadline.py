"""A slow, hung or stopped reranker: search, its page and its API keep the deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from library.models import Library
from searchapp.search import search
from tests.factories import People
from tests.retrieval.reranker.tiny import OverlapBackend
from tests.searchapp.reranking.conftest import DEADLINE_MS, Use, hung

BUSY_S = 1.5  # what a busy machine may add; the slow reranker takes much longer


class SlowBackend(OverlapBackend):
    """Four seconds for any batch."""

    def forward(self, batch: Any) -> Any:
        time.sleep(4)
        return super().forward(batch)


@pytest.mark.parametrize("backend", [SlowBackend, hung])
def test_a_slow_or_hung_reranker_should_leave_a_complete_page_within_the_deadline(
    people: People, library: Library, use: Use, backend: Callable[[], OverlapBackend]
) -> None:
    use(backend())
    first = search(people.colleague, "w1 w2", rerank=False)
    for _ in range(3):
        started = time.monotonic()
        page = search(people.colleague, "w1 w2", deadline_ms=DEADLINE_MS)
        assert time.monotonic() - started < DEADLINE_MS / 1000 + BUSY_S
        assert not page.reranked
        assert page.degraded[0] in ("rerank_timeout", "rerank_busy")
        assert [hit.chunk.pk for hit in page.hits] == [hit.chunk.pk for hit in first.hits]
        assert page.facets == first.facets


def test_a_stopped_reranker_should_be_noticed_at_once(people: People, library: Library, use: Use) -> None:
    use(OverlapBackend()).close()
    started = time.monotonic()
    page = search(people.colleague, "w1", deadline_ms=20_000)
    assert time.monotonic() - started < 5
    assert (page.reranked, page.degraded) == (False, ["rerank_unavailable"])
    assert len(page.hits) == 4


def test_the_page_should_show_the_first_order_while_the_reranker_hangs(
    client: Client, people: People, library: Library, use: Use, settings: Any
) -> None:
    use(hung())
    settings.RERANK_DEADLINE_MS = DEADLINE_MS
    client.force_login(people.colleague)
    first = client.get("/", {"q": "w1", "stage": "first"}, headers={"hx-request": "true"})
    assert 'hx-trigger="load"' in first.content.decode()
    started = time.monotonic()
    best = client.get("/", {"q": "w1", "stage": "best"}, headers={"hx-request": "true"})
    whole = client.get("/", {"q": "w1"})
    assert time.monotonic() - started < 2 * (DEADLINE_MS / 1000 + BUSY_S)
    for answer in (best, whole):
        text = answer.content.decode()
        assert text.count('class="group"') == 4
        assert 'hx-trigger="load"' not in text


def test_the_api_should_take_a_deadline_and_say_why_nothing_was_reranked(
    client: Client, people: People, library: Library, use: Use, settings: Any
) -> None:
    use(hung())
    settings.RERANK_DEADLINE_MS = 20_000
    client.force_login(people.colleague)
    asked = {"query": "w1", "deadline_ms": 150}
    started = time.monotonic()
    answer = client.post("/api/v1/search", asked, content_type="application/json").json()
    assert time.monotonic() - started < 5
    assert (answer["reranked"], answer["degraded"], len(answer["hits"])) == (False, ["rerank_timeout"], 4)
    asked = {"query": "w1", "rerank": False}
    answer = client.post("/api/v1/search", asked, content_type="application/json").json()
    assert (answer["reranked"], answer["degraded"]) == (False, [])
