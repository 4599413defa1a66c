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

from library.models import Document, Status

REQUESTS = Counter("quarry_requests", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("quarry_request_seconds", "Time until the answer begins", ["method", "route"])
DOCUMENTS = Gauge("quarry_documents", "Documents by status", ["status"], multiprocess_mode="mostrecent")


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
