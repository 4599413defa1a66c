from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest

from retrieval.reranker.batching import BatchingReranker
from retrieval.reranker.errors import (
    DeadlineExpiredError,
    RerankerBusyError,
    RerankerClosedError,
    RerankerFailedError,
    RerankerUnavailableError,
)
from retrieval.reranker.metrics import BatchReport, Counters
from tests.retrieval.reranker.tiny import WORDS, OverlapBackend, tiny_reranker

Pairs = list[tuple[str, str]]


@pytest.fixture
def backend() -> OverlapBackend:
    return OverlapBackend()


@pytest.fixture
def counters() -> Counters:
    return Counters()


@pytest.fixture
def batching(backend: OverlapBackend, counters: Counters) -> Iterator[BatchingReranker]:
    reranker = BatchingReranker(tiny_reranker(backend), counters, most_waiting=40)
    yield reranker
    backend.gate.set()
    reranker.close()


@pytest.fixture
def callers() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def values(batching: BatchingReranker, pairs: Pairs, deadline: float | None = None) -> np.ndarray:
    return batching.score(pairs, deadline=deadline).values


def eventually(condition: Callable[[], bool]) -> None:
    limit = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.001)


def hold_the_model(
    batching: BatchingReranker, backend: OverlapBackend, callers: ThreadPoolExecutor
) -> Future[np.ndarray]:
    """The model is busy with one caller's pair until the gate opens."""
    backend.gate.clear()
    backend.entered.clear()
    busy = callers.submit(values, batching, [("w1", "w1")])
    assert backend.entered.wait(5)
    return busy


def wait_for_pairs(batching: BatchingReranker, pairs: int) -> None:
    eventually(lambda: sum(request.left for request in batching._turns) >= pairs)


def random_pairs(seed: int, count: int) -> Pairs:
    random = np.random.default_rng(seed)

    def words(most: int) -> str:
        return " ".join(f"w{i}" for i in random.integers(0, 50, random.integers(1, most)))

    return [(words(5), words(25)) for _ in range(count)]


def test_batched_scores_should_equal_single_scores(
    batching: BatchingReranker, callers: ThreadPoolExecutor
) -> None:
    requests = [random_pairs(seed, 3) for seed in range(12)]
    single = tiny_reranker()
    batched = list(callers.map(partial(values, batching), requests))
    for pairs, scores in zip(requests, batched, strict=True):
        assert scores == pytest.approx([single.score([pair])[0] for pair in pairs])


def test_waiting_callers_should_share_batches(
    batching: BatchingReranker,
    backend: OverlapBackend,
    callers: ThreadPoolExecutor,
    counters: Counters,
) -> None:
    busy = hold_the_model(batching, backend, callers)
    waiting = [callers.submit(values, batching, [("w1", "w1"), ("w1", "w2 w3")]) for _ in range(4)]
    wait_for_pairs(batching, 8)
    backend.gate.set()
    for future in (busy, *waiting):
        future.result(5)
    assert [(report.pairs, report.callers) for report in counters.batches] == [(1, 1), (8, 4)]
    assert counters.batches[1].tokens == 4 * (5 + 6)
    assert counters.batches[1].padded_tokens == 8 * 6


def test_a_small_request_should_not_wait_for_all_of_a_large_one(
    batching: BatchingReranker, backend: OverlapBackend, callers: ThreadPoolExecutor
) -> None:
    busy = hold_the_model(batching, backend, callers)
    large = callers.submit(values, batching, [("w1", "w2 " * 20)] * 36)
    wait_for_pairs(batching, 36)
    small = callers.submit(values, batching, [("w1", "w9 " * 20)])
    wait_for_pairs(batching, 37)
    backend.gate.set()
    for future in (busy, large, small):
        future.result(5)
    # The budget holds two of these pairs: the large request alone takes 18 runs, its first five candidates 3.
    assert len(backend.shapes) >= 19
    assert [(run == WORDS.index("w9")).any() for run in backend.runs].index(True) <= 4


def test_an_expired_request_should_cost_no_run(
    batching: BatchingReranker, backend: OverlapBackend, callers: ThreadPoolExecutor, counters: Counters
) -> None:
    busy = hold_the_model(batching, backend, callers)
    with pytest.raises(DeadlineExpiredError):
        batching.score([("w1", "w9")] * 3, deadline=time.monotonic() + 0.02)
    backend.gate.set()
    busy.result(5)
    batching.score([("w1", "w1")])
    assert [pairs for pairs, _ in backend.shapes] == [1, 1]
    assert counters.refusals == ["timeout"]


def test_a_request_that_comes_too_late_should_not_even_be_tokenized(
    batching: BatchingReranker, counters: Counters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching.reranker, "tokenize", None)
    with pytest.raises(DeadlineExpiredError):
        batching.score([("w1", "w1")], deadline=time.monotonic())
    assert counters.refusals == ["timeout"]


def test_a_request_that_cannot_be_done_in_time_should_be_refused_at_once(
    batching: BatchingReranker, backend: OverlapBackend, callers: ThreadPoolExecutor, counters: Counters
) -> None:
    busy = hold_the_model(batching, backend, callers)
    threading.Timer(1, backend.gate.set).start()
    busy.result(5)  # five tokens in 1 s: 0.2 s a token
    busy = hold_the_model(batching, backend, callers)
    started = time.monotonic()
    waiting = callers.submit(values, batching, [("w1", "w2 " * 20)] * 5, started + 19)
    wait_for_pairs(batching, 5)
    with pytest.raises(RerankerBusyError):
        batching.score([("w1", "w1")], deadline=started + 20)
    assert time.monotonic() - started < 5
    backend.gate.set()
    assert len(waiting.result(5)) == 5
    busy.result(5)
    assert counters.refusals == ["busy"]


def test_a_request_whose_caller_has_left_should_not_refuse_others(
    batching: BatchingReranker, backend: OverlapBackend, callers: ThreadPoolExecutor
) -> None:
    busy = hold_the_model(batching, backend, callers)
    for _ in range(3):  # the model hangs, and the queue has room for one of them
        with pytest.raises(DeadlineExpiredError):
            batching.score([("w1", "w1")] * 39, deadline=time.monotonic() + 0.05)
    backend.gate.set()
    busy.result(5)


def test_a_backend_that_is_away_should_fail_the_batch_without_asking_again(
    batching: BatchingReranker, backend: OverlapBackend, callers: ThreadPoolExecutor
) -> None:
    busy = hold_the_model(batching, backend, callers)
    waiting = [callers.submit(values, batching, [("w1", "away")]) for _ in range(3)]
    wait_for_pairs(batching, 3)
    backend.gate.set()
    busy.result(5)
    for future in waiting:
        with pytest.raises(RerankerUnavailableError):
            future.result(5)
    assert len(backend.runs) == 2


def test_a_long_passage_should_be_scored_by_its_best_window_through_batching_too(
    batching: BatchingReranker, callers: ThreadPoolExecutor
) -> None:
    pairs = [("w1 w2", "w3 " * 60 + "w1 w2"), ("w1 w2", "w3 " * 60), ("w1", "w1")]
    alone = tiny_reranker().score(pairs)
    assert alone[0] > alone[1]
    for scores in callers.map(partial(values, batching), [pairs] * 5):
        assert scores == pytest.approx(alone)


def test_a_failing_request_should_fail_alone(
    batching: BatchingReranker, backend: OverlapBackend, callers: ThreadPoolExecutor
) -> None:
    busy = hold_the_model(batching, backend, callers)
    good = callers.submit(values, batching, [("w1", "w1")])
    bad = callers.submit(values, batching, [("w1", "w1"), ("w1", "poison")])
    wait_for_pairs(batching, 3)
    backend.gate.set()
    with pytest.raises(RerankerFailedError, match="poisoned"):
        bad.result(5)
    assert good.result(5) == pytest.approx([1.0])
    assert busy.result(5) == pytest.approx([1.0])
    assert values(batching, [("w1", "w1")]) == pytest.approx([1.0])


def test_pairs_that_cannot_be_tokenized_should_fail_alone(
    batching: BatchingReranker, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(batching.reranker, "tokenize", None)
        with pytest.raises(RerankerFailedError):
            batching.score([("w1", "w1")])
    assert values(batching, [("w1", "w1")]) == pytest.approx([1.0])


def test_too_long_a_queue_should_refuse_at_once(
    batching: BatchingReranker, backend: OverlapBackend, callers: ThreadPoolExecutor, counters: Counters
) -> None:
    busy = hold_the_model(batching, backend, callers)
    waiting = callers.submit(values, batching, [("w1", "w1")] * 39)
    wait_for_pairs(batching, 39)
    started = time.monotonic()
    with pytest.raises(RerankerBusyError):
        batching.score([("w1", "w1")] * 2)
    assert time.monotonic() - started < 4
    backend.gate.set()
    assert len(waiting.result(5)) == 39
    busy.result(5)
    assert counters.refusals == ["busy"]


def test_one_request_larger_than_the_queue_should_be_scored_when_nothing_waits(
    batching: BatchingReranker,
) -> None:
    assert len(values(batching, [("w1", "w1")] * 100)) == 100


def test_unreadable_pairs_should_have_no_scores_and_cost_no_run(
    batching: BatchingReranker, backend: OverlapBackend
) -> None:
    assert np.isnan(values(batching, [("누구", "w1"), ("누구", "w2")])).all()
    assert not backend.runs
    scores = values(batching, [("w1", "w1"), ("w1", "누구")])
    assert scores[0] == pytest.approx(1.0)
    assert np.isnan(scores[1])


def test_close_should_release_those_who_wait_and_refuse_others(
    backend: OverlapBackend, callers: ThreadPoolExecutor
) -> None:
    batching = BatchingReranker(tiny_reranker(backend), Counters())
    busy = hold_the_model(batching, backend, callers)
    waiting = callers.submit(values, batching, [("w1", "w1")])
    wait_for_pairs(batching, 1)
    closing = threading.Thread(target=batching.close)
    closing.start()
    eventually(lambda: batching._closed)
    backend.gate.set()
    closing.join(5)
    assert busy.result(5) == pytest.approx([1.0])
    with pytest.raises(RerankerClosedError):
        waiting.result(5)
    with pytest.raises(RerankerClosedError):
        batching.score([("w1", "w1")])


def test_failing_metrics_should_not_disturb_the_callers(
    backend: OverlapBackend, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Counters):
        def batch(self, report: BatchReport) -> None:
            raise RuntimeError("broken metrics")

    batching = BatchingReranker(tiny_reranker(backend), Broken())
    assert values(batching, [("w1", "w1")]) == pytest.approx([1.0])
    assert values(batching, [("w1", "w1")]) == pytest.approx([1.0])
    batching.close()
    assert "broken metrics" in caplog.text


def test_a_model_that_hung_once_should_not_be_taken_for_slow_for_ever(
    batching: BatchingReranker, backend: OverlapBackend, callers: ThreadPoolExecutor
) -> None:
    busy = hold_the_model(batching, backend, callers)
    time.sleep(2)
    backend.gate.set()
    busy.result(5)  # five tokens in 2 s, and a search has time for one
    page = [("w1", "w1 w2 w3")] * 6
    found = [np.isfinite(values(batching, page, time.monotonic() + 0.4)).sum() for _ in range(5)]
    assert found[-1] == 6
