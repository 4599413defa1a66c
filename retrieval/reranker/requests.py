"""What waits for the model thread, and which of it goes next."""

from __future__ import annotations

import bisect
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.reranker.errors import NotRerankedError
from retrieval.reranker.windows import TokenizedPair
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
        readable = (number for number, window in enumerate(windows) if window.readable)
        self.pending = sorted(readable, key=lambda number: -len(windows[number]))
        self._missing = len(self.pending)

    def expired(self, now: float) -> bool:
        return self.deadline is not None and now >= self.deadline

    @property
    def pending_tokens(self) -> int:
        return sum(len(self.windows[number]) for number in self.pending)

    def receive(self, number: int, score: np.float32) -> None:
        """The score of a window: its pair has that of its best one."""
        place = self.windows[number].place
        self.scores[place] = np.fmax(self.scores[place], score)
        self._missing -= 1
        if not self._missing:
            self.finish()

    def fail(self, error: NotRerankedError) -> None:
        """The first outcome stays: scores that came in time are not taken back."""
        if not self.done.is_set():
            self.error = error
            self.finish()

    def finish(self) -> None:
        self.done.set()


@dataclass(frozen=True, slots=True)
class Item:
    """One window of a request."""

    request: Request
    number: int

    @property
    def pair(self) -> TokenizedPair:
        return self.request.windows[self.number]


def next_batch(turns: Sequence[Request], token_budget: int) -> list[Item]:
    """Take the longest pending pair of the first request, and the pairs of all requests nearest below it.

    The batch, padded to its longest pair, holds at most `token_budget` tokens, or one pair. What is left of
    the budget is filled with longer pairs only where the padding they cause fits.
    """
    items = [Item(request, number) for request in turns for number in request.pending]
    first = turns[0]
    # Among equals the first request's come last, next to the cut: they are always in the batch.
    items.sort(key=lambda item: (len(item.pair), item.request is first))
    lengths = [len(item.pair) for item in items]
    longest = len(first.windows[first.pending[0]])
    end = bisect.bisect_right(lengths, longest)
    start = max(0, end - max(1, token_budget // longest))
    while end < len(items) and (end + 1 - start) * lengths[end] <= token_budget:
        end += 1
    batch = items[start:end]
    for item in batch:
        item.request.pending.remove(item.number)
    return batch
