"""For machines that watch this one: is it alive, may it serve, how does it do? Nothing inside is named."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError
from prometheus_client import CONTENT_TYPE_LATEST

from indexing import engine, healing
from indexing.healing import IndexRebuildingError
from library import publishing
from operations import metrics
from retrieval.index.base import IndexUnavailableError
from searchapp import reranking

logger = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("alive\n", content_type="text/plain")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 if every part answers, else 503 with the names of those that do not.

    Search is as good as it can be unless something is `degraded`, without which it still serves. While a lost
    index is built anew, `index_rebuilding` says how far that is.
    """
    faults = _faults()
    missing = list(faults)
    degraded = ["reranker"] if reranking.breaker.open else []
    answer: dict[str, Any] = {"ready": not missing, "not_ready": missing, "degraded": degraded}
    if isinstance(rebuilding := faults.get("index"), IndexRebuildingError):
        answer["index_rebuilding"] = {"percent": rebuilding.percent}
    return JsonResponse(answer, status=503 if missing else 200)


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    """Counts of everybody's searches and documents: for this machine, and for who has the token."""
    if not _may_watch(request):
        return HttpResponse(
            "Ask from this machine, or with the token in QUARRY_METRICS_TOKEN.\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


LOOPBACK = ("127.0.0.1", "::1")
ANSWERS = {"/healthz": healthz, "/readyz": readyz, "/metrics": prometheus}


class HealthChecks:
    """Answers before all else. Machines beside this one ask by its address and without TLS, so the names in
    `QUARRY_ALLOWED_HOSTS` and the redirect to HTTPS are not for them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return ANSWERS.get(request.path_info, self._get_response)(request)


def _may_watch(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").encode()
    token = settings.METRICS_TOKEN
    if token and hmac.compare_digest(given, f"Bearer {token}".encode()):
        return True
    # A proxy on this machine has its address, too, and says for whom it asks.
    proxied = any(name in request.headers for name in ("Forwarded", "X-Forwarded-For", "X-Real-IP"))
    return not proxied and request.META.get("REMOTE_ADDR") in LOOPBACK


def _faults() -> dict[str, Exception]:
    """What does not answer, by name, and how it said so. A database that is away is asked once: that takes a
    while if it hangs."""
    database = _fault("database", _database)
    faults = {"database": database, "index": _fault("index", _index if database else _whole_index)}
    if not settings.EMBEDDED:
        faults["broker"] = _fault("broker", _broker)
    return {name: fault for name, fault in faults.items() if fault}


def _fault(name: str, check: Callable[[], None]) -> Exception | None:
    try:
        check()
    except (DatabaseError, IndexUnavailableError, OperationalError, OSError) as error:
        logger.warning("The %s does not answer: %s", name, error)
        return error
    return None


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _index() -> None:
    engine.index().collections()


def _whole_index() -> None:
    version = engine.live_version()
    if version.lost_at or version.collection not in engine.index().collections():
        raise healing.rebuilding()


def _broker() -> None:
    with publishing.connection() as broker:
        broker.ensure_connection(max_retries=1, timeout=1)
