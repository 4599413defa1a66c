"""One model thread, many callers: whatever waits when the model is free goes through it together."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
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
from retrieval.reranker.requests import Request, Share, next_batch
from retrieval.types import FloatArray

logger = logging.getLogger(__name__)

NEWEST = 0.2  # how much the newest run counts in the estimate of the model's pace


class BatchingReranker:
    """Scores for many threads at once, by one model thread.

    Each time the model is free, the thread
    1. drops the requests whose deadline has passed;
    2. takes the next request in turn, and fills a batch up to the token budget with the waiting pairs, of
       whatever request, that are nearest in length to one of its own: little padding, and nobody starves;
    3. runs it. If that fails, each request in it is run alone, so that a bad one fails alone.

    What cannot be done in time, at the pace of late, is refused at once instead of making all others late.
    """

    def __init__(self, reranker: Reranker, metrics: Metrics, *, most_waiting: int = 1024) -> None:
        """
        Args:
            reranker: the model; from now on only this object's thread may run it.
            metrics: hears of every run and of every request without scores.
            most_waiting: windows of pairs in the queue beyond which a request is refused at once.
        """
        self.reranker = reranker
        self._metrics = metrics
        self._most_waiting = most_waiting
        self._seconds_per_token = 0.0
        self._turns: deque[Request] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="reranker", daemon=True)
        self._thread.start()

    def score(self, pairs: Sequence[tuple[str, str]], *, deadline: float | None = None) -> FloatArray:
        """(pairs,) float32 as `Reranker.score` gives them; waits for the model.

        Args:
            pairs: (query, passage).
            deadline: a reading of `time.monotonic()` after which the scores are of no use.

        Raises:
            RerankerBusyError: too much is waiting already; answered at once.
            DeadlineExpiredError: not done by the deadline.
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

    def _score(self, pairs: Sequence[tuple[str, str]], deadline: float | None) -> FloatArray:
        with self._changed:  # before tokens are made: a refusal costs nothing
            self._admit(len(pairs), 0, deadline)
        try:  # in the caller's thread: tokens are made beside the model's run
            windows = self.reranker.tokenize(pairs)
        except Exception as error:
            raise RerankerFailedError(str(error)) from error
        request = Request(len(pairs), windows, deadline)
        if not request.windows:
            return request.scores
        with self._changed:
            self._admit(len(request.pending), request.pending_tokens, deadline)
            self._turns.append(request)
            self._changed.notify()
        patience = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not request.done.wait(patience):
            self._leave(request)
        if request.error is not None:
            raise request.error
        return request.scores

    def _admit(self, windows: int, tokens: int, deadline: float | None) -> None:
        now = time.monotonic()
        if self._closed:
            raise RerankerClosedError("the reranker has been stopped")
        if deadline is not None and now >= deadline:
            raise DeadlineExpiredError("expired before it was looked at")
        waiting = sum(len(request.pending) for request in self._turns)
        if not waiting:
            return
        if waiting + windows > self._most_waiting:
            raise RerankerBusyError(f"{waiting} pairs are waiting already")
        tokens += sum(request.pending_tokens for request in self._turns)
        if deadline is not None and now + tokens * self._seconds_per_token > deadline:
            raise RerankerBusyError(f"{tokens} tokens would not be read in time")

    def _leave(self, request: Request) -> None:
        """Its caller has gone: what waits of it must not be run, nor refuse others."""
        with self._changed:
            request.fail(DeadlineExpiredError("not scored in time"))
            if request in self._turns:
                self._turns.remove(request)

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
                self._drop_expired()
                if self._turns:
                    batch = next_batch(self._turns, self.reranker.backend.token_budget)
                    self._turns.rotate(-1)
                    return batch
                self._changed.wait()
        return None

    def _drop_expired(self) -> None:
        now = time.monotonic()
        for request in self._turns:
            if request.expired(now):
                request.fail(DeadlineExpiredError("expired before the model was free"))
        self._turns = deque(
            request for request in self._turns if len(request.pending) and not request.done.is_set()
        )

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
        ends = np.cumsum([len(share.numbers) for share in batch])
        for share, own in zip(batch, np.split(scores, ends[:-1]), strict=True):
            share.request.receive(share.numbers, own)
        pace = report.model_seconds / report.padded_tokens
        self._seconds_per_token += (pace - self._seconds_per_token) * NEWEST
        try:
            self._metrics.batch(report)
        except Exception:
            logger.exception("The reranker's metrics failed")

    def _score_alone(self, batch: Sequence[Share], error: Exception) -> None:
        if len(batch) == 1:
            failure = RerankerFailedError(str(error))
            failure.__cause__ = error
            batch[0].request.fail(failure)
            return
        for share in batch:
            self._score_batch([share])
