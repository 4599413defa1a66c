"""What waits for the model thread, and which of it goes next."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.reranker.errors import NotRerankedError
from retrieval.reranker.windows import IntArray, TokenizedPair
from retrieval.types import FloatArray


class Request:
    """One caller's pairs. `pending` are the windows that no batch has taken yet, longest first."""

    def __init__(self, pairs: int, windows: Sequence[TokenizedPair], deadline: float | None) -> None:
        """`windows`: of the caller's so many pairs."""
        self.windows = windows
        self.deadline = deadline
        self.submitted = time.monotonic()
        self.scores: FloatArray = np.full(pairs, np.nan, dtype=np.float32)
        self.error: NotRerankedError | None = None
        self.done = threading.Event()
        self.lengths: IntArray = np.array([len(window.ids) for window in windows], dtype=np.int64)
        self.pending: IntArray = np.argsort(-self.lengths, kind="stable")
        self.pending_tokens = int(self.lengths.sum())
        self._places = np.array([window.place for window in windows], dtype=np.int64)
        self._missing = len(windows)

    def expired(self, now: float) -> bool:
        return self.deadline is not None and now >= self.deadline

    def take(self, which: NDArray[np.bool_]) -> Share:
        """Of the pending windows those that go into a batch; they are pending no more."""
        share = Share(self, self.pending[which])
        self.pending = self.pending[~which]
        self.pending_tokens -= int(share.lengths.sum())
        return share

    def receive(self, numbers: IntArray, scores: FloatArray) -> None:
        """The scores of some windows: a pair has that of its best one."""
        np.fmax.at(self.scores, self._places[numbers], scores)
        self._missing -= len(numbers)
        if not self._missing:
            self.done.set()

    def fail(self, error: NotRerankedError) -> None:
        """The first outcome stays: scores that came in time are not taken back."""
        if not self.done.is_set():
            self.error = error
            self.done.set()


class Share(NamedTuple):
    """A request's windows in a batch."""

    request: Request
    numbers: IntArray  # of the windows

    @property
    def lengths(self) -> IntArray:
        return self.request.lengths[self.numbers]

    @property
    def windows(self) -> list[TokenizedPair]:
        return [self.request.windows[number] for number in self.numbers.tolist()]


def next_batch(turns: Sequence[Request], token_budget: int) -> list[Share]:
    """Take the longest pending pair of the first request, and the pairs of all requests nearest below it.

    The batch, padded to its longest pair, holds at most `token_budget` tokens, or one pair. What is left of
    the budget is filled with longer pairs only where the padding they cause fits.
    """
    ends = np.cumsum([len(request.pending) for request in turns])
    lengths = np.concatenate([request.lengths[request.pending] for request in turns])
    longest = int(lengths[0])
    # Among equals the first request's come last, next to the cut: they are always in the batch.
    order = np.lexsort((np.arange(len(lengths)) < ends[0], lengths))
    ascending = lengths[order]
    end = int(np.searchsorted(ascending, longest, side="right"))
    start = max(0, end - max(1, token_budget // longest))
    padded = ascending[end:] * np.arange(end + 1 - start, len(ascending) + 1 - start)
    end += int(np.searchsorted(padded, token_budget, side="right"))
    chosen = np.zeros(len(lengths), dtype=np.bool_)
    chosen[order[start:end]] = True
    parts = zip(turns, np.split(chosen, ends[:-1]), strict=True)
    return [request.take(which) for request, which in parts if which.any()]
