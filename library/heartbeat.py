"""Keeping a lease alive from beside the work, so that only a process that died loses it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

logger = logging.getLogger(__name__)

HEARTBEAT_S = 10.0


@contextmanager
def heartbeat(renew: Callable[[], object]) -> Iterator[None]:
    """Call `renew` every few seconds, in a thread with a database connection of its own."""
    done = threading.Event()

    def beat() -> None:
        try:
            while not done.wait(HEARTBEAT_S):
                _renew(renew)
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _renew(renew: Callable[[], object]) -> None:
    try:
        renew()
    except DatabaseError as error:
        logger.warning("A lease could not be renewed (%s); the next beat tries again.", error)
        connection.close()
