"""The start of a Celery worker of the `rerank` queue: its model and its metrics before its first task."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from prometheus_client import start_http_server

from searchapp.scoring import QUEUE, RerankerSettingsError, batching


def prepare(sender: str, instance: Any, **kwargs: Any) -> None:
    """Load the model, and serve `/metrics`; what cannot work ends the worker with a sentence."""
    if QUEUE not in instance.app.amqp.queues.consume_from:
        return
    if not instance.pool_cls.__module__.endswith(".thread"):
        raise SystemExit(f"Workers of the queue {QUEUE!r} share one model: start them with --pool threads.")
    try:
        batching()
    except RerankerSettingsError as error:
        raise SystemExit(str(error)) from error
    if settings.RERANK_METRICS_PORT:
        _serve_metrics(settings.RERANK_METRICS_PORT)


def _serve_metrics(port: int) -> None:
    try:
        start_http_server(port)
    except OSError as error:
        raise SystemExit(
            f"QUARRY_RERANK_METRICS_PORT is {port}; no metrics can be served there: {error.strerror}."
        ) from error
