"""Reranking within a deadline: in this process when embedded, else by the workers of the `rerank` queue."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from celery.exceptions import CeleryError
from celery.exceptions import TimeoutError as CeleryTimeoutError
from django.conf import settings
from kombu.exceptions import OperationalError

from ingestion.engine import model_path
from retrieval.reranker import NotRerankedError, Reranker, load_card, load_reranker
from retrieval.reranker.batching import BatchingReranker
from searchapp.metrics import RERANKINGS, RerankMetrics

logger = logging.getLogger(__name__)

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
def weight() -> float:
    """How much the reranker counts against the first stage, 0 to 1: its card says what was calibrated."""
    return load_card(Path(model_path(settings.RERANKER))).weight


def rerank(query: str, passages: Sequence[str], deadline: float) -> list[float] | str:
    """The passages' scores, or why there are none in time: `off`, or the reason of a `NotRerankedError`.

    `deadline` is a reading of `time.monotonic()`.
    """
    if settings.RERANK_BACKEND == "off":
        return "off"
    scores = (score if settings.EMBEDDED else _by_worker)(query, passages, deadline)
    RERANKINGS.labels(scores if isinstance(scores, str) else "reranked").inc()
    return scores


def score(query: str, passages: Sequence[str], deadline: float) -> list[float] | str:
    try:
        pairs = [(query, passage) for passage in passages]
        return [float(s) for s in batching().score(pairs, deadline=deadline)]
    except RerankerSettingsError as error:
        logger.error("%s", error)
        return "unavailable"
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
