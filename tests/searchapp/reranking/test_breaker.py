"""A reranker that is away is waited for a few times, then probed by calls that nobody waits for."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client

from library.models import Library
from searchapp import breaker, reranking
from searchapp.search import search
from tests.factories import People
from tests.retrieval.reranker.tiny import OverlapBackend
from tests.searchapp.reranking.conftest import DEADLINE_MS, Use, hung
from tests.support.servers import wait_for


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
    monkeypatch.setattr(reranking, "PROBE_LASTS_S", 3.0)
    search(people.colleague, "w1", deadline_ms=50)  # who has no time says nothing about the reranker
    for _ in range(breaker.MISSES):
        assert degraded() == ([], "0.0")
        assert search(people.colleague, "w1").degraded == ["rerank_timeout"]
    assert degraded() == ([], "0.0"), "late answers alone prove nothing"
    wait_for(lambda: search(people.colleague, "w1").degraded == ["rerank_unavailable"], "a probe", 20)
    assert degraded() == (["reranker"], "1.0")
    settings.RERANK_DEADLINE_MS = 2500
    started = time.monotonic()
    for _ in range(3):
        assert search(people.colleague, "w1").degraded == ["rerank_unavailable"]
    assert time.monotonic() - started < 4
    backend.gate.set()
    wait_for(lambda: search(people.colleague, "w1").reranked, "the reranker again", 20)
    assert degraded() == ([], "0.0")


class LateBackend(OverlapBackend):
    """Every run takes longer than a search waits."""

    def forward(self, batch: Any) -> Any:
        time.sleep(2 * DEADLINE_MS / 1000)
        return super().forward(batch)


def test_a_busy_minute_should_make_the_reranker_unavailable_for_nobody(
    people: People, library: Library, use: Use, settings: Any
) -> None:
    use(LateBackend())
    settings.RERANK_DEADLINE_MS = DEADLINE_MS
    for number in range(2 * breaker.MISSES):
        late = search(people.colleague, f"w1 w{number}")
        assert late.degraded[0] in ("rerank_timeout", "rerank_busy")
    assert search(people.colleague, "w1 w20", deadline_ms=20_000).reranked
    assert not reranking.breaker.open


def test_a_caller_with_a_long_deadline_should_be_reranked_while_others_do_not_wait(
    people: People, library: Library, use: Use
) -> None:
    use(OverlapBackend())
    for _ in range(breaker.MISSES):
        reranking.breaker.note("timeout")
    assert reranking.breaker.probe_is_due()
    reranking.breaker.note_probe("timeout")
    assert search(people.colleague, "w1", deadline_ms=1000).degraded == ["rerank_unavailable"]
    assert search(people.colleague, "w1", deadline_ms=20_000).reranked
    assert not reranking.breaker.open


def test_a_probe_that_fails_should_be_followed_by_another(
    people: People, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "PROBE_S", 0.0)
    for _ in range(breaker.MISSES):
        reranking.breaker.note("unavailable")
    reranking.breaker.note_probe("unavailable")
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
    assert not judge.probe_is_due()
    for _ in range(breaker.MISSES):
        judge.note("timeout")
    assert judge.probe_is_due() and not judge.probe_is_due(), "one caller probes"
    judge.note_probe("busy")
    assert not judge.open
