"""One model thread, many callers: whatever waits when the model is free goes through it together."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from retrieval.reranker.errors import (
    DeadlineExpiredError,
    NotRerankedError,
    RerankerBusyError,
    RerankerClosedError,
    RerankerFailedError,
    UnreadableError,
)
from retrieval.reranker.metrics import BatchReport, Counters
from retrieval.reranker.model import Reranker
from retrieval.reranker.requests import Item, Request, next_batch
from retrieval.types import FloatArray

__all__ = ["BatchingReranker", "NotRerankedError"]

logger = logging.getLogger(__name__)


class BatchingReranker:
    """Scores for many threads at once, by one model thread.

    Each time the model is free, the thread
    1. drops the requests whose deadline has passed;
    2. takes the next request in turn, and fills a batch up to the token budget with the waiting pairs, of
       whatever request, that are nearest in length to one of its own: little padding, and nobody starves;
    3. runs it. If that fails, each request in it is run alone, so that a bad one fails alone.
    """

    def __init__(
        self,
        reranker: Reranker,
        *,
        most_waiting: int = 1024,
        on_batch: Callable[[BatchReport], None] | None = None,
    ) -> None:
        """
        Args:
            reranker: the model; from now on only this object's thread may run it.
            most_waiting: pairs in the queue beyond which a request is refused at once.
            on_batch: called in the model thread after every batch, for metrics.
        """
        self.reranker = reranker
        self.counters = Counters()
        self._most_waiting = most_waiting
        self._on_batch = on_batch
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
            RerankerBusyError: the queue is too long; answered at once.
            DeadlineExpiredError: not done by the deadline.
            RerankerFailedError: the model failed on these pairs.
            UnreadableError: every score would be NaN.
            RerankerClosedError: `close` was called.
        """
        with self._changed:
            self._admit(len(pairs))
        # In the caller's thread: tokens are made beside the model's run.
        request = Request(self.reranker.tokenize(pairs), deadline)
        if not request.pending:
            raise UnreadableError("the model cannot read the query's or any passage's script")
        with self._changed:
            self._admit(len(pairs))
            self._turns.append(request)
            self._changed.notify()
        patience = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not request.done.wait(patience):
            request.fail(DeadlineExpiredError("not scored in time"))
        if request.error is not None:
            raise request.error
        return request.scores

    def close(self) -> None:
        """Stop the thread after its present batch; who waits gets RerankerClosedError. Safe to call twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _admit(self, pairs: int) -> None:
        if self._closed:
            raise RerankerClosedError("the reranker has been stopped")
        waiting = sum(len(request.pending) for request in self._turns)
        if waiting and waiting + pairs > self._most_waiting:
            self.counters.shed += 1
            raise RerankerBusyError(f"{waiting} pairs are waiting already")

    def _run(self) -> None:
        try:
            while (batch := self._take()) is not None:
                self._score(batch)
        except Exception:
            logger.exception("The reranker's thread stopped")
        finally:  # nobody may wait for a thread that is gone
            with self._changed:
                self._closed = True
                for request in self._turns:
                    request.fail(RerankerClosedError("the reranker has been stopped"))

    def _take(self) -> list[Item] | None:
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
                self.counters.expired += 1
                request.fail(DeadlineExpiredError("expired before the model was free"))
        self._turns = deque(
            request for request in self._turns if request.pending and not request.done.is_set()
        )

    def _score(self, batch: Sequence[Item]) -> None:
        started = time.monotonic()
        try:
            scores = self.reranker.forward([item.pair for item in batch])
        except Exception as error:
            self._score_alone(batch, error)
            return
        finished = time.monotonic()
        for item, score in zip(batch, np.asarray(scores, dtype=np.float32), strict=True):
            item.request.receive(item.place, score)
        report = BatchReport.of(batch, started, finished)
        self.counters.add(report)
        if self._on_batch is not None:
            try:
                self._on_batch(report)
            except Exception:
                logger.exception("The reranker's metrics failed")

    def _score_alone(self, batch: Sequence[Item], error: Exception) -> None:
        requests = {id(item.request): item.request for item in batch}
        if len(requests) == 1:
            self.counters.failed += 1
            failure = RerankerFailedError(str(error))
            failure.__cause__ = error
            batch[0].request.fail(failure)
            return
        for request in requests.values():
            self._score([item for item in batch if item.request is request])
