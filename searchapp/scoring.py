"""The reranker of this process: its model, its one model thread, and the scores that it makes."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from django.conf import settings

from indexing.engine import model_path
from retrieval.reranker import NotRerankedError, Reranker, RerankerCard, load_card, load_reranker
from retrieval.reranker.batching import BatchingReranker
from searchapp.metrics import RerankMetrics

logger = logging.getLogger(__name__)

QUEUE = "rerank"
# Each passage's score, as `retrieval.reranker.requests.Scores` has them, in what JSON can carry.
Scored = tuple[list[float], list[bool]]

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
    made = BatchingReranker(load(), RerankMetrics())
    try:
        made.warm_up()
    except NotRerankedError as error:
        logger.warning("The reranker's speed is not known yet: %s", error)
    return made


@cache
def card() -> RerankerCard:
    """What was calibrated of the reranker: how much it counts against the first stage."""
    return load_card(Path(model_path(settings.RERANKER)))


def score(query: str, passages: Sequence[str], deadline: float) -> Scored | str:
    try:
        pairs = [(query, passage) for passage in passages]
        scores = batching().score(pairs, deadline=deadline)
        return scores.values.tolist(), scores.whole.tolist()
    except RerankerSettingsError as error:
        logger.error("%s", error)
        return "unavailable"
    except NotRerankedError as error:
        if error.reason in ("failed", "unavailable"):  # the others are no fault of anything
            logger.warning("No reranking: %s", error, exc_info=error.__cause__)
        return error.reason
