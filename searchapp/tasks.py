"""The rerank worker's task, and what such a worker does at its start."""

from __future__ import annotations

import time

from celery import shared_task
from celery.signals import celeryd_after_setup

from searchapp import rerank_worker, scoring

celeryd_after_setup.connect(rerank_worker.prepare)


@shared_task(acks_late=False)
def rerank(query: str, passages: list[str], expires_at: float) -> scoring.Scored | str:
    """Scores, or why there are none; `expires_at` is Unix time, since the caller is another process."""
    return scoring.score(query, passages, time.monotonic() + expires_at - time.time())
