"""What waits for the model thread: one caller's pairs, and which of them were read."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.reranker.errors import NotRerankedError
from retrieval.reranker.excerpts import excerpt, least
from retrieval.reranker.plan import Waiting
from retrieval.reranker.windows import IntArray, TokenizedPair
from retrieval.types import FloatArray


class Scores(NamedTuple):
    """Scores of a caller's pairs: NaN where the model cannot read a pair, -inf where it came too late.

    `whole` is False where a value is that of an excerpt: it would be another one if there were more time.
    """

    values: FloatArray
    whole: NDArray[np.bool_]


class Request:
    """One caller's pairs, which are taken in their order."""

    def __init__(self, pairs: int, windows: Sequence[TokenizedPair], deadline: float | None) -> None:
        """`windows`: of the caller's so many pairs; those without one cannot be read."""
        self.deadline = float("inf") if deadline is None else deadline
        self.submitted = time.monotonic()
        self.runs_before = 0  # of the model, when the request joined the queue
        self.error: NotRerankedError | None = None
        self.done = threading.Event()
        self._windows = [list(own) for _, own in groupby(windows, key=lambda window: window.place)]
        self._whole: IntArray = np.array(
            [sum(len(each.ids) for each in own) for own in self._windows], np.int64
        )
        self._least: IntArray = np.array([min(map(least, own)) for own in self._windows], np.int64)
        self._taken = 0
        self._missing = len(self._windows)  # of those that are readable, without scores
        self._scores = Scores(np.full(pairs, np.nan, np.float32), np.zeros(pairs, np.bool_))
        self._scores.values[[own[0].place for own in self._windows]] = -np.inf
        if not self._windows:
            self.done.set()

    @property
    def scores(self) -> Scores:
        """What came in time. Raises the error with which the request ended, if it has one."""
        if self.error is not None:
            raise self.error
        return self._scores

    @property
    def left(self) -> int:
        """Candidates that no batch has taken."""
        return len(self._windows) - self._taken

    def waiting(self, now: float) -> Waiting:
        left = slice(self._taken, None)
        return Waiting(self._whole[left], self._least[left], self._taken, self.deadline - now)

    def take(self, candidates: int, tokens: int) -> Share:
        """The next candidates for a batch: whole, or an excerpt of each that has more tokens than that."""
        share = Share(self, [], [])
        for number in range(self._taken, self._taken + candidates):
            windows = self._windows[number]
            fits = self._whole[number] <= tokens
            share.windows.extend(windows if fits else [excerpt(windows, tokens)])
            share.whole.extend([fits] * (len(windows) if fits else 1))
        self._taken += candidates
        return share

    def receive(self, share: Share, scores: FloatArray) -> None:
        """The scores of some windows: a pair has that of its best one. What comes too late is dropped."""
        if self.done.is_set():
            return
        places = [window.place for window in share.windows]
        np.fmax.at(self._scores.values, places, scores)
        self._scores.whole[places] = share.whole
        self._missing -= len(set(places))
        if not self._missing:
            self.done.set()

    def end(self, error: NotRerankedError) -> None:
        """There is no more time: what was scored counts, and without any there is an error."""
        if np.isfinite(self._scores.values).any():
            self.done.set()
        self.fail(error)

    def fail(self, error: NotRerankedError) -> None:
        """The first outcome stays: scores that came in time are not taken back."""
        if not self.done.is_set():
            self.error = error
            self.done.set()


class Share(NamedTuple):
    """A request's windows in a batch, and whether each is of a pair that is read whole."""

    request: Request
    windows: list[TokenizedPair]
    whole: list[bool]
