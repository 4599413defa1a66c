"""Reranking within a deadline: in this process when embedded, else by the workers of the `rerank` queue."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from celery.exceptions import CeleryError
from celery.exceptions import TimeoutError as CeleryTimeoutError
from django.conf import settings
from kombu.exceptions import OperationalError

from ingestion.engine import model_path
from retrieval.reranker import NotRerankedError, load_card, load_reranker
from retrieval.reranker.batching import BatchingReranker

logger = logging.getLogger(__name__)


@cache
def batching() -> BatchingReranker | None:
    """This process's one model thread; None, until the next start, if the model cannot be loaded."""
    try:
        model = load_reranker(model_path(settings.RERANKER), backend=settings.RERANK_BACKEND)
    except Exception:  # whatever a model's own code raises: search goes on without it
        logger.exception("The reranker %s cannot be loaded", settings.RERANKER)
        return None
    return BatchingReranker(model)


@cache
def weight() -> float:
    """How much the reranker counts against the first stage, 0 to 1: its card says what was calibrated."""
    return load_card(Path(model_path(settings.RERANKER))).weight


def rerank(query: str, passages: Sequence[str], deadline: float) -> list[float] | str:
    """The passages' scores, or why there are none in time: `off`, `timeout`, `busy` or `unavailable`.

    `deadline` is a reading of `time.monotonic()`.
    """
    if settings.RERANK_BACKEND == "off":
        return "off"
    if settings.EMBEDDED:
        return score(query, passages, deadline)
    return _by_worker(query, passages, deadline)


def score(query: str, passages: Sequence[str], deadline: float) -> list[float] | str:
    model = batching()
    if model is None:
        return "unavailable"
    try:
        pairs = [(query, passage) for passage in passages]
        return [float(s) for s in model.score(pairs, deadline=deadline)]
    except NotRerankedError as error:
        return error.reason


def _by_worker(query: str, passages: Sequence[str], deadline: float) -> list[float] | str:
    from searchapp import tasks

    seconds = max(0.0, deadline - time.monotonic())
    try:
        result = tasks.rerank.apply_async((query, list(passages), time.time() + seconds), expires=seconds)
        scores: list[float] | str = result.get(timeout=max(0.0, deadline - time.monotonic()))
    except CeleryTimeoutError:
        return "timeout"
    except (CeleryError, OperationalError, OSError) as error:
        logger.warning("No reranking: %s", error)
        return "unavailable"
    return scores
