"""No search waits for a reranker that is dead: a circuit breaker (Nygard, Release It!, 2nd edition, 2018).

Each process has its own, and finds out by itself. To share it would take Redis, which may be what is away.
"""

from __future__ import annotations

import logging
import threading
import time

from searchapp.metrics import RERANKER_AWAY

logger = logging.getLogger(__name__)

MISSES = 3  # in a row; one or two may be a burst
PROBE_S = 2.0
AWAY = ("timeout", "unavailable")


class Breaker:
    """Open once the reranker is away. Safe in any thread.

    MISSES calls in a row without an answer only raise the suspicion: in a busy minute answers are late. A
    patient probe that nobody waits for decides. While the breaker is open, searches are answered at once, and
    from time to time another probe asks whether the reranker is back.
    """

    def __init__(self) -> None:
        self.open = False
        self._lock = threading.Lock()
        self._misses = 0
        self._next_probe = 0.0

    def note(self, outcome: object) -> None:
        """What came of a call: the reason of a `NotRerankedError`, or scores."""
        with self._lock:
            self._note(outcome)

    def note_probe(self, outcome: object) -> None:
        with self._lock:
            self._note(outcome)
            self._next_probe = time.monotonic() + PROBE_S
            if outcome in AWAY and not self.open:
                self._turn(True)

    def _note(self, outcome: object) -> None:
        if outcome in AWAY:
            self._misses += 1
        elif outcome != "busy":  # which says neither: who hangs turns callers away, too
            self._misses = 0
            if self.open:
                self._turn(False)

    def _turn(self, open: bool) -> None:
        self.open = open
        RERANKER_AWAY.set(open)
        logger.warning("The reranker %s", "does not answer" if open else "is back")

    def probe_is_due(self) -> bool:
        """True to one caller, who has to `note_probe` what comes of it before another can be due."""
        with self._lock:
            due = self._misses >= MISSES and time.monotonic() >= self._next_probe
            if due:
                self._next_probe = float("inf")
            return due
