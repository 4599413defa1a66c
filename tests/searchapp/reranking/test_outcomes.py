"""What came of reranking is said in the log, to programs and in the metrics; a page is a page."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from library.models import Library
from searchapp.search import search
from tests.factories import People
from tests.retrieval.reranker.tiny import OverlapBackend
from tests.searchapp.reranking.conftest import Use


def test_a_model_that_fails_should_say_so_and_log_its_error(
    people: People, library: Library, use: Use, caplog: pytest.LogCaptureFixture
) -> None:
    use(OverlapBackend())
    page = search(people.colleague, "w1 poison", deadline_ms=20_000)
    assert (page.reranked, page.degraded) == (False, ["rerank_failed"])
    assert "ValueError: poisoned" in caplog.text
    assert search(people.colleague, "w1 w2", deadline_ms=20_000).reranked


@pytest.mark.parametrize(
    ("query", "arrange", "reason"),
    [
        ("w1", lambda use, settings: setattr(settings, "RERANK_BACKEND", "off"), "rerank_off"),
        ("w1", lambda use, settings: use(OverlapBackend()).close(), "rerank_unavailable"),
        ("w1 away", lambda use, settings: use(OverlapBackend()), "rerank_unavailable"),
        ("w1 poison", lambda use, settings: use(OverlapBackend()), "rerank_failed"),
    ],
    ids=["off", "stopped", "away", "failed"],
)
def test_the_api_should_say_why_nothing_was_reranked_and_the_page_only_show_results(
    client: Client,
    people: People,
    library: Library,
    use: Use,
    settings: Any,
    query: str,
    arrange: Any,
    reason: str,
) -> None:
    settings.RERANK_DEADLINE_MS = 20_000
    arrange(use, settings)
    client.force_login(people.colleague)
    first = client.get("/", {"q": query, "stage": "first"}, headers={"hx-request": "true"}).content.decode()
    assert ('hx-trigger="load"' in first) == (reason != "rerank_off")
    for headers in ({}, {"hx-request": "true"}):
        best = client.get("/", {"q": query}, headers=headers).content.decode()
        assert best.count('class="group"') == 4 and 'hx-trigger="load"' not in best
    answer = client.post("/api/v1/search", {"query": query}, content_type="application/json").json()
    assert (answer["reranked"], answer["reranked_count"], answer["degraded"]) == (False, 0, [reason])


def test_metrics_should_show_the_model_and_the_outcomes_of_searches(
    client: Client, people: People, library: Library, use: Use
) -> None:
    def value(name: str) -> float:
        lines = client.get("/metrics").content.decode().splitlines()
        return float(next((line.split()[-1] for line in lines if line.startswith(f"{name} ")), 0))

    names = (
        'quarry_rerankings_total{outcome="reranked"}',
        "quarry_rerank_batch_pairs_sum",
        "quarry_rerank_batch_callers_count",
        'quarry_rerank_tokens_total{kind="text"}',
        "quarry_rerank_queue_seconds_count",
        "quarry_rerank_model_seconds_count",
        'quarry_rerankings_total{outcome="failed"}',
        'quarry_rerankings_total{outcome="remembered"}',
        'quarry_rerank_refusals_total{reason="failed"}',
    )
    before = [value(name) for name in names]
    use(OverlapBackend())
    search(people.colleague, "w1 w2", deadline_ms=20_000)
    search(people.colleague, "w1 w2", deadline_ms=20_000)
    search(people.colleague, "w1 poison", deadline_ms=20_000)
    searched, pairs, *more = [value(name) - then for name, then in zip(names, before, strict=True)]
    assert (searched, pairs) == (1, 4)
    assert min(more) > 0
