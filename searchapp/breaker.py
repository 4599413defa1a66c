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
    """Open after MISSES outcomes in a row that say the reranker is away. Safe in any thread.

    While it is open, searches are answered at once, and from time to time a probe that nobody waits for asks
    whether the reranker is back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._misses = 0
        self._next_probe = 0.0

    @property
    def open(self) -> bool:
        return self._misses >= MISSES

    def note(self, outcome: object) -> None:
        """What came of a call or a probe: the reason of a `NotRerankedError`, or scores."""
        with self._lock:
            was_open = self.open
            if outcome in AWAY:
                self._misses += 1
            elif outcome != "busy":  # which says neither: who hangs turns callers away, too
                self._misses = 0
            self._next_probe = time.monotonic() + PROBE_S
            if self.open != was_open:
                RERANKER_AWAY.set(self.open)
                logger.warning("The reranker %s", "does not answer" if self.open else "is back")

    def probe_is_due(self) -> bool:
        """True to one caller, who has to `note` what comes of it before the next probe can be due."""
        with self._lock:
            due = time.monotonic() >= self._next_probe
            if due:
                self._next_probe = float("inf")
            return due
