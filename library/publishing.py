"""Messages to the broker from processes that must not wait for it, such as a request that stored a document.

The rows say what there is to do, and the sweep rings for what no message announced. So a message is worth one
short try, and while the broker is away not even that.
"""

from __future__ import annotations

import logging
import time
from functools import cache
from typing import Any

from celery import Task, current_app
from kombu.exceptions import KombuError
from kombu.pools import producers

logger = logging.getLogger(__name__)

TIMEOUT_S = 0.25
AWAY_S = 5.0  # in which nobody tries, after one who tried in vain
# Behind what beat sends: a long queue of documents must not hold up the look at the index that they wait for.
PRIORITY = 9  # Redis takes them in this order, the lowest number first
ONE_TRY = {
    "socket_timeout": TIMEOUT_S,
    "socket_connect_timeout": TIMEOUT_S,
    "max_retries": 0,
    "interval_start": 0,
    "interval_step": 0,
}

_next_try = 0.0


def connection() -> Any:
    """A connection to the broker that answers, or fails, at once."""
    return current_app.connection_for_write(transport_options=ONE_TRY)


def publish(task: Task, *args: Any) -> bool:
    """Send the task; false where the broker does not take it, or did not take another a moment ago."""
    global _next_try
    if time.monotonic() < _next_try:
        return False
    try:
        with _producers().acquire(block=True, timeout=TIMEOUT_S) as producer:
            task.apply_async(args, producer=producer, retry=False, priority=PRIORITY)
    except (KombuError, OSError) as error:
        logger.warning("The broker did not take a message (%s); the sweep will ring again.", error)
        _next_try = time.monotonic() + AWAY_S
        return False
    return True


@cache
def _producers() -> Any:
    return producers[connection()]
