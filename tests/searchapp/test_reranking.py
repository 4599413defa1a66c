"""Search and its page while the reranker is at work, slow, hung, broken or stopped: real model threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from ingestion.models import Document, Library
from retrieval.reranker.batching import BatchingReranker
from searchapp import breaker, reranking
from searchapp.metrics import RerankMetrics
from searchapp.search import search
from tests.factories import People, ready_document
from tests.retrieval.reranker.tiny import OverlapBackend, tiny_reranker
from tests.support.servers import wait_for

DEADLINE_MS = 400
BUSY_S = 1.5  # what a busy machine may add; the slow reranker takes much longer
Use = Callable[[OverlapBackend], BatchingReranker]


class SlowBackend(OverlapBackend):
    """Four seconds for any batch."""

    def forward(self, batch: Any) -> Any:
        time.sleep(4)
        return super().forward(batch)


@pytest.fixture
def library(people: People) -> Library:
    for number in range(4):
        text = " ".join(f"w{i}" for i in (number, *range(1, 20)))  # words of the tiny model
        ready_document(people.library, text, f"words-{number}.txt")
    search(people.colleague, "w1", rerank=False)  # the models of the first stage are loaded
    return people.library


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    made: list[tuple[OverlapBackend, BatchingReranker]] = []

    def make(backend: OverlapBackend) -> BatchingReranker:
        batching = BatchingReranker(tiny_reranker(backend), RerankMetrics())
        made.append((backend, batching))
        monkeypatch.setattr(reranking, "_batching", lambda: batching)
        return batching

    yield make
    for backend, batching in made:
        backend.gate.set()
        batching.close()


def hung() -> OverlapBackend:
    backend = OverlapBackend()
    backend.gate.clear()
    return backend


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


def test_a_dead_reranker_should_be_waited_for_a_few_times_and_noticed_when_it_is_back(
    client: Client,
    people: People,
    library: Library,
    use: Use,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def degraded() -> Any:
        answer = client.get("/readyz")
        assert answer.status_code == 200
        return answer.json()["degraded"], away()

    def away() -> str:
        lines = client.get("/metrics").content.decode().splitlines()
        return next(line.split()[-1] for line in lines if line.startswith("quarry_reranker_away "))

    backend = hung()
    use(backend)
    settings.RERANK_DEADLINE_MS = DEADLINE_MS
    monkeypatch.setattr(breaker, "PROBE_S", 0.1)
    search(people.colleague, "w1", deadline_ms=50)  # who has no time says nothing about the reranker
    for _ in range(breaker.MISSES):
        assert degraded() == ([], "0.0")
        assert search(people.colleague, "w1").degraded == ["rerank_timeout"]
    assert degraded() == (["reranker"], "1.0")
    settings.RERANK_DEADLINE_MS = 20_000
    time.sleep(0.2)  # the probe waits, and nobody else does
    started = time.monotonic()
    for _ in range(3):
        assert search(people.colleague, "w1").degraded == ["rerank_unavailable"]
    assert time.monotonic() - started < 5
    backend.gate.set()
    wait_for(lambda: search(people.colleague, "w1").reranked, "the reranker again", 20)
    assert degraded() == ([], "0.0")


def test_a_probe_that_fails_should_be_followed_by_another(
    people: People, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "PROBE_S", 0.0)
    for _ in range(breaker.MISSES):
        reranking.breaker.note("unavailable")
    probes: list[str] = []

    def broken(query: str, *_: object) -> Any:
        probes.append(query)
        raise RuntimeError("no such thing")

    monkeypatch.setattr(reranking, "score", broken)
    wait_for(lambda: search(people.colleague, "w1").degraded and len(probes) > 2, "three probes", 20)


def test_a_busy_reranker_should_not_be_taken_for_a_dead_one() -> None:
    judge = breaker.Breaker()
    for outcome in ["busy"] * breaker.MISSES + ["timeout"] * (breaker.MISSES - 1) + ["failed", "timeout"]:
        judge.note(outcome)
    assert not judge.open


def test_a_stopped_reranker_should_be_noticed_at_once(people: People, library: Library, use: Use) -> None:
    use(OverlapBackend()).close()
    started = time.monotonic()
    page = search(people.colleague, "w1", deadline_ms=20_000)
    assert time.monotonic() - started < 5
    assert (page.reranked, page.degraded) == (False, ["rerank_unavailable"])
    assert len(page.hits) == 4


def test_passages_in_a_language_that_the_model_did_not_learn_should_keep_their_places(
    people: People, library: Library, use: Use
) -> None:
    use(OverlapBackend())
    Document.objects.filter(library=library).update(language="en")
    german = Document.objects.filter(library=library).first()
    assert german is not None
    Document.objects.filter(pk=german.pk).update(language="de")
    first = search(people.colleague, "w1 w2", rerank=False)
    page = search(people.colleague, "w1 w2", deadline_ms=20_000)
    assert page.reranked
    places = [[hit.chunk.document_id for hit in each.hits].index(german.pk) for each in (first, page)]
    assert places[0] == places[1]
    scored = {hit.chunk.document_id for hit in page.hits if hit.scores["rerank"] is not None}
    assert len(scored) == 3 and german.pk not in scored
    Document.objects.filter(library=library).update(language="de")
    page = search(people.colleague, "w1 w3", deadline_ms=20_000)
    assert (page.reranked, page.degraded) == (False, ["rerank_language"])


def test_a_model_that_fails_should_say_so_and_log_its_error(
    people: People, library: Library, use: Use, caplog: pytest.LogCaptureFixture
) -> None:
    use(OverlapBackend())
    page = search(people.colleague, "w1 poison", deadline_ms=20_000)
    assert (page.reranked, page.degraded) == (False, ["rerank_failed"])
    assert "ValueError: poisoned" in caplog.text
    assert search(people.colleague, "w1 w2", deadline_ms=20_000).reranked


def test_the_page_should_show_the_first_order_while_the_reranker_hangs(
    client: Client, people: People, library: Library, use: Use, settings: Any
) -> None:
    use(hung())
    settings.RERANK_DEADLINE_MS = DEADLINE_MS
    client.force_login(people.colleague)
    first = client.get("/", {"q": "w1", "stage": "first"}, headers={"hx-request": "true"})
    assert "first order, reranking" in first.content.decode()
    started = time.monotonic()
    best = client.get("/", {"q": "w1", "stage": "best"}, headers={"hx-request": "true"})
    whole = client.get("/", {"q": "w1"})
    assert time.monotonic() - started < 2 * (DEADLINE_MS / 1000 + BUSY_S)
    for answer in (best, whole):
        text = answer.content.decode()
        assert "not reranked: it took too long" in text
        assert text.count('class="group"') == 4
        assert 'hx-trigger="load"' not in text


@pytest.mark.parametrize(
    ("query", "arrange", "sentence"),
    [
        ("w1", lambda use, settings: setattr(settings, "RERANK_BACKEND", "off"), "it is switched off"),
        ("w1", lambda use, settings: use(OverlapBackend()).close(), "the reranker does not answer"),
        ("w1 away", lambda use, settings: use(OverlapBackend()), "the reranker does not answer"),
        ("w1 poison", lambda use, settings: use(OverlapBackend()), "it failed on these passages"),
    ],
    ids=["off", "stopped", "away", "failed"],
)
def test_the_page_should_say_in_words_why_nothing_was_reranked(
    client: Client,
    people: People,
    library: Library,
    use: Use,
    settings: Any,
    query: str,
    arrange: Any,
    sentence: str,
) -> None:
    settings.RERANK_DEADLINE_MS = 20_000
    arrange(use, settings)
    client.force_login(people.colleague)
    first = client.get("/", {"q": query, "stage": "first"}, headers={"hx-request": "true"}).content.decode()
    assert ("reranking…" in first) == (sentence != "it is switched off")
    for headers in ({}, {"hx-request": "true"}):
        best = client.get("/", {"q": query}, headers=headers).content.decode()
        assert f"not reranked: {sentence}" in best
        assert best.count('class="group"') == 4


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
    assert "first order, reranking" in page("first") and not backend.runs
    assert ">reranked<" in page("best")
    batching.close()  # whatever comes now is remembered
    for shown in (page("first"), page("best"), client.get("/", {"q": "w1 w2"}).content.decode()):
        assert ">reranked<" in shown and 'hx-trigger="load"' not in shown
    assert search(people.colleague, "w2 w1").degraded == ["rerank_unavailable"]
    settings.RERANKER = "another/model"
    assert "first order, reranking" in page("first")


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


def test_a_new_passage_in_another_script_should_keep_its_place(
    people: People, library: Library, use: Use
) -> None:
    use(OverlapBackend())
    assert search(people.colleague, "누구 w1", deadline_ms=20_000).degraded == ["rerank_language"]
    assert search(people.colleague, "w1 w2", deadline_ms=20_000).reranked
    ready_document(library, "w1 누구 무엇 어디 언제 왜 어떻게", "또.txt")
    page = search(people.colleague, "w1 w2", deadline_ms=20_000)
    assert page.reranked and [hit.scores["rerank"] for hit in page.hits].count(None) == 1


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
