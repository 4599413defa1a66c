"""Reranking within a deadline: in this process when embedded, else by the workers of the `rerank` queue."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import blake2b
from typing import Any

from celery.exceptions import TimeoutError as CeleryTimeoutError
from django.conf import settings
from django.core.cache import caches

from searchapp import tasks
from searchapp.breaker import Breaker
from searchapp.metrics import RERANKINGS
from searchapp.scoring import QUEUE, Scored, score

logger = logging.getLogger(__name__)

QUEUE_LASTS_S = 60  # longer than any deadline
MAX_CALLS = 64  # of this process at a time; what waits for longer than its deadline is dropped
FAIR = 0.5  # of the usual deadline: whoever asked for less says nothing about the reranker

PROBE_LASTS_S = 5.0
# A worker answers so much earlier than the caller's deadline: the answer travels.
TRAVEL, TRAVEL_S = 0.1, 0.1  # this share of the time at most, and these seconds
EXCERPT_LASTS_S = 60  # a score of a part of a passage, for whoever turns the page; then it is scored anew

breaker = Breaker()


def rerank(query: str, passages: Sequence[str], deadline: float | None) -> list[float] | str:
    """The passages' scores, or why there are none.

    A score is NaN where the model cannot read the passage's script, and -inf where there was no time for it;
    the first passages are scored first. What was scored a moment ago is remembered, and a reranker that is
    away is not waited for.

    Args:
        deadline: a reading of `time.monotonic()`. None: nobody is asked.

    Returns:
        Scores; or `off`, `later` (nobody was asked), `language` (the model can read none of the passages), or
        the reason of a `NotRerankedError`.
    """
    if settings.RERANK_BACKEND == "off":
        return "off"
    memory, keys = caches["rerank"], [_key(query, passage) for passage in passages]
    known: dict[str, float] = memory.get_many(keys)
    new = {key: passage for key, passage in zip(keys, passages, strict=True) if key not in known}
    if new:
        if deadline is None:
            return "later"
        made = _ask(query, list(new.values()), deadline)
        if isinstance(made, str):
            RERANKINGS.labels(made).inc()
            return made
        known |= dict(zip(new, made[0], strict=True))
        _remember(list(new), made)
    scores = [known[key] for key in keys]
    if all(map(math.isnan, scores)):
        RERANKINGS.labels("language").inc()
        return "language"
    RERANKINGS.labels("partly" if -math.inf in scores else "reranked" if new else "remembered").inc()
    return scores


def _remember(keys: list[str], made: Scored) -> None:
    kept: dict[bool, dict[str, float]] = {True: {}, False: {}}
    for key, value, whole in zip(keys, *made, strict=True):
        if value != -math.inf:
            kept[whole or math.isnan(value)][key] = value
    caches["rerank"].set_many(kept[True])
    caches["rerank"].set_many(kept[False], EXCERPT_LASTS_S)


def _key(query: str, passage: str) -> str:
    """Key of the text itself: a passage that was changed is another one."""
    return blake2b(repr((settings.RERANKER, settings.RERANK_BACKEND, query, passage)).encode()).hexdigest()


def _ask(query: str, passages: list[str], deadline: float) -> Scored | str:
    """While the breaker is open, who has the patience of a probe is as good as one; nobody else waits."""
    if breaker.probe_is_due():
        _callers().submit(_probe, query, passages[:1])
    now = time.monotonic()
    patience = deadline - now
    if breaker.open:
        if patience < PROBE_LASTS_S:
            return "unavailable"
        deadline = now + PROBE_LASTS_S
    outcome = (score if settings.EMBEDDED else _by_worker)(query, passages, deadline)
    if patience >= FAIR * settings.RERANK_DEADLINE_MS / 1000:
        breaker.note(outcome)
    return outcome


def _probe(query: str, passages: list[str]) -> None:
    """In a thread of its own. It is patient: a reranker that is slow is not away."""
    deadline = time.monotonic() + PROBE_LASTS_S
    outcome: Scored | str = "unavailable"
    try:
        outcome = (score if settings.EMBEDDED else _call_worker)(query, passages, deadline)
    except Exception:
        logger.exception("Asking whether the reranker answers failed")
    finally:
        breaker.note_probe(outcome)


def _by_worker(query: str, passages: list[str], deadline: float) -> Scored | str:
    """A thread of its own talks to Redis, which can hang for longer than the deadline."""
    call = _callers().submit(_call_worker, query, passages, deadline)
    try:
        return call.result(timeout=max(0.0, deadline - time.monotonic()))
    except TimeoutError:
        call.cancel()
        return "timeout"


@cache
def _callers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(MAX_CALLS, thread_name_prefix="rerank-call")


def _call_worker(query: str, passages: list[str], deadline: float) -> Scored | str:
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        return "timeout"
    try:
        until = time.time() + seconds - min(TRAVEL_S, TRAVEL * seconds)
        result = tasks.rerank.apply_async((query, passages, until), expires=seconds)
        try:
            scores: Scored | str = result.get(timeout=max(0.0, deadline - time.monotonic()))
        except CeleryTimeoutError:
            _give_up(result)
            return "timeout"
    except Exception as error:  # of Celery, kombu, redis-py, or a RuntimeError once Celery has tried enough
        logger.warning("No reranking: %s", error)
        return "unavailable"
    return scores


def _give_up(result: Any) -> None:
    """Stop listening, and leave no message in Redis for good: without a worker nobody else takes it out. The
    whole queue goes with it, whose messages are about as old."""
    result.forget()
    result.backend.client.expire(QUEUE, QUEUE_LASTS_S, nx=True)
