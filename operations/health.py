"""For machines that watch this one: is it alive, may it serve, how does it do? Nothing inside is named."""

from __future__ import annotations

import logging
from collections.abc import Callable

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError
from prometheus_client import CONTENT_TYPE_LATEST

from indexing import engine
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

    Search is as good as it can be unless something is `degraded`, without which it still serves.
    """
    missing = [name for name, check in _checks().items() if not _passes(name, check)]
    degraded = ["reranker"] if reranking.breaker.open else []
    answer = {"ready": not missing, "not_ready": missing, "degraded": degraded}
    return JsonResponse(answer, status=503 if missing else 200)


@require_safe
def prometheus(request: HttpRequest) -> HttpResponse:
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_LATEST)


ANSWERS = {"/healthz": healthz, "/readyz": readyz, "/metrics": prometheus}


class HealthChecks:
    """Answers before all else. Machines beside this one ask by its address and without TLS, so the names in
    `QUARRY_ALLOWED_HOSTS` and the redirect to HTTPS are not for them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return ANSWERS.get(request.path_info, self._get_response)(request)


def _checks() -> dict[str, Callable[[], None]]:
    checks = {"database": _database, "index": _index}
    return checks if settings.EMBEDDED else {**checks, "broker": _broker}


def _passes(name: str, check: Callable[[], None]) -> bool:
    try:
        check()
    except (DatabaseError, IndexUnavailableError, OperationalError, OSError) as error:
        logger.warning("The %s does not answer: %s", name, error)
        return False
    return True


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _index() -> None:
    engine.index().collections()


def _broker() -> None:
    with current_app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=2)
