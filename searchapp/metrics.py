"""What Prometheus may know: counts and times by route, never a name, a query or a document."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from django.db.models import Count
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from ingestion.models import Document, Status
from retrieval.reranker.metrics import BatchReport

REQUESTS = Counter("quarry_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("quarry_request_seconds", "Time until the answer begins", ["method", "route"])
DOCUMENTS = Gauge("quarry_documents", "Documents by status", ["status"], multiprocess_mode="mostrecent")

# Of searches, by whoever asked for scores; "reranked", "remembered" (no model ran), or why not.
RERANKINGS = Counter("quarry_rerankings", "Searches that asked for reranking, by outcome", ["outcome"])

RERANKER_AWAY = Gauge(
    "quarry_reranker_away",
    "Processes that do not wait for the reranker, since it does not answer",
    multiprocess_mode="livesum",
)

# Of the process that runs the model: this one in embedded mode, else the rerank worker.
RERANK_PAIRS = Histogram(
    "quarry_rerank_batch_pairs", "Pairs in a run of the model", buckets=[2**power for power in range(10)]
)
RERANK_CALLERS = Histogram(
    "quarry_rerank_batch_callers", "Searches in a run of the model", buckets=[2**power for power in range(7)]
)
RERANK_TOKENS = Counter("quarry_rerank_tokens", "Tokens that the model ran, by what they were", ["kind"])
RERANK_QUEUE_SECONDS = Histogram(
    "quarry_rerank_queue_seconds", "Until the model took up the search in a run that waited longest"
)
RERANK_MODEL_SECONDS = Histogram("quarry_rerank_model_seconds", "Of a run of the model")
RERANK_REFUSALS = Counter("quarry_rerank_refusals", "Searches left without scores", ["reason"])

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


class RequestMetrics:
    """Count and time each request under its route's pattern; unknown addresses count as one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        response = self._get_response(request)
        match = request.resolver_match
        route = match.route if match else "unmatched"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(method, route, response.status_code).inc()
        SECONDS.labels(method, route).observe(time.monotonic() - started)
        return response


class RerankMetrics:
    """What the model thread reports: padding waste is the share of `padding` among the tokens."""

    def batch(self, report: BatchReport) -> None:
        RERANK_PAIRS.observe(report.pairs)
        RERANK_CALLERS.observe(report.callers)
        RERANK_TOKENS.labels("text").inc(report.tokens)
        RERANK_TOKENS.labels("padding").inc(report.padded_tokens - report.tokens)
        RERANK_QUEUE_SECONDS.observe(report.queue_seconds)
        RERANK_MODEL_SECONDS.observe(report.model_seconds)

    def refused(self, reason: str) -> None:
        RERANK_REFUSALS.labels(reason).inc()


def exposition() -> bytes:
    """All metrics in Prometheus' text format, those of the other processes too where they share a folder."""
    counts = dict(Document.objects.order_by().values_list("status").annotate(Count("pk")))
    for status in Status.values:
        DOCUMENTS.labels(status).set(counts.get(status, 0))
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
