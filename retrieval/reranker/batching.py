"""One model thread, many callers: it reads what all of them need most, as far as their deadlines allow."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

import numpy as np

from retrieval.reranker.errors import (
    DeadlineExpiredError,
    NotRerankedError,
    RerankerBusyError,
    RerankerClosedError,
    RerankerFailedError,
)
from retrieval.reranker.metrics import BatchReport, Metrics
from retrieval.reranker.model import Reranker
from retrieval.reranker.plan import has_room, plan
from retrieval.reranker.requests import Request, Scores, Share
from retrieval.types import FloatArray

logger = logging.getLogger(__name__)

NEWEST = 0.3  # how much the newest run counts in the estimate of the model's pace
WARM_UP_PAIRS, WARM_UP_WORDS, WARM_UP_RUNS = 8, 150, 3


class BatchingReranker:
    """Scores for many threads at once, by one model thread.

    Each time the model is free, the thread
    1. ends the requests that it can read no more of in time: what was scored counts;
    2. takes what `plan` chooses of all others at the pace of late: whole candidates where there is time,
       fewer candidates and excerpts of them where there is not;
    3. runs it. If that fails, each request in it is run alone, so that a bad one fails alone.

    A request whose first candidates could not be read in time is refused at once.
    """

    def __init__(self, reranker: Reranker, metrics: Metrics, *, most_waiting: int = 4096) -> None:
        """
        Args:
            reranker: the model; from now on only this object's thread may run it.
            metrics: hears of every run and of every request without scores.
            most_waiting: pairs in the queue beyond which a request is refused at once.
        """
        self.reranker = reranker
        self._metrics = metrics
        self._most_waiting = most_waiting
        self._seconds_per_token = 0.0  # until the first run
        self._runs = 0
        self._turns: list[Request] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="reranker", daemon=True)
        self._thread.start()

    def warm_up(self) -> None:
        """Measure the model's pace before a deadline depends on it. Raises as `score` does."""
        for _ in range(WARM_UP_RUNS):
            self.score([("warm up", "word " * WARM_UP_WORDS)] * WARM_UP_PAIRS)

    def score(self, pairs: Sequence[tuple[str, str]], *, deadline: float | None = None) -> Scores:
        """What can be scored by the deadline, the first pairs first; waits for the model.

        Args:
            pairs: (query, passage), the most promising first.
            deadline: a reading of `time.monotonic()` after which scores are of no use.

        Raises:
            RerankerBusyError: too much is waiting already; answered at once, or when it turned out.
            DeadlineExpiredError: nothing was scored by the deadline.
            RerankerFailedError: the tokenizer or the model failed on these pairs.
            RerankerUnavailableError: whoever runs the model does not answer.
            RerankerClosedError: `close` was called.
        """
        try:
            return self._score(pairs, deadline)
        except NotRerankedError as error:
            self._metrics.refused(error.reason)
            raise

    def close(self) -> None:
        """Stop the thread after its present batch; who waits gets RerankerClosedError. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _score(self, pairs: Sequence[tuple[str, str]], deadline: float | None) -> Scores:
        with self._changed:  # before tokens are made: a refusal costs nothing
            self._admit(len(pairs), deadline)
        try:  # in the caller's thread: tokens are made beside the model's run
            windows = self.reranker.tokenize(pairs)
        except Exception as error:
            raise RerankerFailedError(str(error)) from error
        request = Request(len(pairs), windows, deadline)
        if request.done.is_set():
            return request.scores
        with self._changed:
            self._admit(len(pairs), deadline)
            now = time.monotonic()
            others = [other.waiting(now) for other in self._turns if not other.done.is_set()]
            if not has_room(request.waiting(now), others, self._seconds_per_token):
                raise RerankerBusyError("the first candidates would not be read in time")
            self._turns.append(request)
            request.runs_before = self._runs
            self._changed.notify()
        patience = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not request.done.wait(patience):
            self._leave(request)
        return request.scores

    def _admit(self, pairs: int, deadline: float | None) -> None:
        if self._closed:
            raise RerankerClosedError("the reranker has been stopped")
        if deadline is not None and time.monotonic() >= deadline:
            raise DeadlineExpiredError("expired before it was looked at")
        waiting = sum(request.left for request in self._turns)
        if waiting and waiting + pairs > self._most_waiting:
            raise RerankerBusyError(f"{waiting} pairs are waiting already")

    def _leave(self, request: Request) -> None:
        """Forget a request whose caller has gone, so that it is not run and refuses no other."""
        with self._changed:
            self._end(request)
            if request in self._turns:
                self._turns.remove(request)

    def _end(self, request: Request) -> None:
        """Whoever was late since others were first says nothing against the model."""
        others_first = self._runs > request.runs_before
        request.end(
            RerankerBusyError("others were first")
            if others_first
            else DeadlineExpiredError("not scored in time")
        )

    def _run(self) -> None:
        try:
            while (batch := self._take()) is not None:
                self._score_batch(batch)
        except Exception:
            logger.exception("The reranker's thread stopped")
        finally:  # nobody may wait for a thread that is gone
            with self._changed:
                self._closed = True
                for request in self._turns:
                    request.fail(RerankerClosedError("the reranker has been stopped"))

    def _take(self) -> list[Share] | None:
        """The next batch, once there is one; None when closed."""
        with self._changed:
            while not self._closed:
                if batch := self._next_batch(time.monotonic()):
                    return batch
                self._changed.wait()
        return None

    def _next_batch(self, now: float) -> list[Share]:
        self._turns = [request for request in self._turns if request.left and not request.done.is_set()]
        waiting = [request.waiting(now) for request in self._turns]
        run, over = plan(waiting, self._seconds_per_token, self.reranker.backend.token_budget)
        for search in over:
            self._end(self._turns[search])
        return [self._turns[search].take(candidates, tokens) for search, candidates, tokens in run]

    def _score_batch(self, batch: Sequence[Share]) -> None:
        started = time.monotonic()
        try:
            scores = self.reranker.forward([window for share in batch for window in share.windows])
        except NotRerankedError as error:  # no pair's fault: none would fare better alone
            for share in batch:
                share.request.fail(error)
            return
        except Exception as error:
            self._score_alone(batch, error)
            return
        report = BatchReport.of(batch, started, time.monotonic())
        self._receive(batch, scores, report.model_seconds / report.tokens)
        try:
            self._metrics.batch(report)
        except Exception:
            logger.exception("The reranker's metrics failed")

    def _receive(self, batch: Sequence[Share], scores: FloatArray, pace: float) -> None:
        ends = np.cumsum([len(share.windows) for share in batch])
        with self._changed:
            self._runs += 1
            newest = NEWEST if self._seconds_per_token else 1.0
            self._seconds_per_token += (pace - self._seconds_per_token) * newest
            for share, own in zip(batch, np.split(scores, ends[:-1]), strict=True):
                share.request.receive(share, own)

    def _score_alone(self, batch: Sequence[Share], error: Exception) -> None:
        if len(batch) == 1:
            failure = RerankerFailedError(str(error))
            failure.__cause__ = error
            batch[0].request.fail(failure)
            return
        for share in batch:
            self._score_batch([share])
