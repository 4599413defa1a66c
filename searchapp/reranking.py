"""Reranking within a deadline: in this process when embedded, else by the workers of the `rerank` queue."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from celery.exceptions import TimeoutError as CeleryTimeoutError
from django.conf import settings
from django.core.cache import caches

from indexing.engine import model_path
from retrieval.reranker import NotRerankedError, Reranker, RerankerCard, load_card, load_reranker
from retrieval.reranker.batching import BatchingReranker
from searchapp.breaker import Breaker
from searchapp.metrics import RERANKINGS, RerankMetrics

logger = logging.getLogger(__name__)

QUEUE = "rerank"
QUEUE_LASTS_S = 60  # longer than any deadline
MAX_CALLS = 64  # of this process at a time; what waits for longer than its deadline is dropped
FAIR = 0.5  # of the usual deadline: whoever asked for less says nothing about the reranker

PROBE_LASTS_S = 5.0

breaker = Breaker()
_loading = threading.Lock()


class RerankerSettingsError(Exception):
    """The settings name a reranker that cannot be loaded: which variables, and why."""


def load() -> Reranker:
    """The model that the settings name. Raises RerankerSettingsError, whatever a model's own code raised."""
    try:
        return load_reranker(
            model_path(settings.RERANKER),
            backend=settings.RERANK_BACKEND,
            compiled=settings.RERANK_COMPILE,
            triton_url=settings.TRITON_URL,
        )
    except Exception as error:
        raise RerankerSettingsError(
            f"The reranker {settings.RERANKER!r} (QUARRY_RERANKER) cannot be loaded by the backend "
            f"{settings.RERANK_BACKEND!r} (QUARRY_RERANK_BACKEND): {error}. "
            "QUARRY_RERANK_BACKEND=off serves without one."
        ) from error


def batching() -> BatchingReranker:
    """This process's one model thread. Raises RerankerSettingsError until it could be made."""
    with _loading:
        return _batching()


@cache
def _batching() -> BatchingReranker:
    return BatchingReranker(load(), RerankMetrics())


@cache
def card() -> RerankerCard:
    """What was calibrated of the reranker: how much it counts against the first stage."""
    return load_card(Path(model_path(settings.RERANKER)))


def rerank(query: str, passages: Sequence[str], deadline: float | None) -> list[float] | str:
    """The passages' scores, NaN for those in a script that the model cannot read; or why there are none.

    What was scored a moment ago is remembered, and a reranker that is away is not waited for.

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
        fresh = dict(zip(new, made, strict=True))
        memory.set_many(fresh)
        known |= fresh
    scores = [known[key] for key in keys]
    if all(map(math.isnan, scores)):
        RERANKINGS.labels("language").inc()
        return "language"
    RERANKINGS.labels("reranked" if new else "remembered").inc()
    return scores


def _key(query: str, passage: str) -> str:
    """By the text itself: a passage that was changed is another one."""
    return blake2b(repr((settings.RERANKER, settings.RERANK_BACKEND, query, passage)).encode()).hexdigest()


def _ask(query: str, passages: list[str], deadline: float) -> list[float] | str:
    if breaker.open:
        if breaker.probe_is_due():
            _callers().submit(_probe, query, passages)
        return "unavailable"
    patience = deadline - time.monotonic()
    outcome = (score if settings.EMBEDDED else _by_worker)(query, passages, deadline)
    if patience >= FAIR * settings.RERANK_DEADLINE_MS / 1000:
        breaker.note(outcome)
    return outcome


def _probe(query: str, passages: list[str]) -> None:
    """In a thread of its own. It is patient: a reranker that is slow is not away."""
    deadline = time.monotonic() + PROBE_LASTS_S
    outcome: list[float] | str = "unavailable"
    try:
        outcome = (score if settings.EMBEDDED else _call_worker)(query, passages, deadline)
    except Exception:
        logger.exception("Asking whether the reranker is back failed")
    finally:
        breaker.note(outcome)


def score(query: str, passages: Sequence[str], deadline: float) -> list[float] | str:
    try:
        pairs = [(query, passage) for passage in passages]
        return [float(s) for s in batching().score(pairs, deadline=deadline)]
    except RerankerSettingsError as error:
        logger.error("%s", error)
        return "unavailable"
    except NotRerankedError as error:
        if error.reason in ("failed", "unavailable"):  # the others are no fault of anything
            logger.warning("No reranking: %s", error, exc_info=error.__cause__)
        return error.reason


def _by_worker(query: str, passages: list[str], deadline: float) -> list[float] | str:
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


def _call_worker(query: str, passages: list[str], deadline: float) -> list[float] | str:
    from searchapp import tasks

    seconds = deadline - time.monotonic()
    if seconds <= 0:
        return "timeout"
    try:
        result = tasks.rerank.apply_async((query, passages, time.time() + seconds), expires=seconds)
        try:
            scores: list[float] | str = result.get(timeout=max(0.0, deadline - time.monotonic()))
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
