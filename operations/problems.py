"""Every refusal of the REST API is a problem document (RFC 9457) with a stable `code`."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation, ValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.template.loader import get_template
from django.urls import reverse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from indexing.healing import IndexRebuildingError
from ingestion.documents import DuplicateError
from ingestion.intake import DISK_FULL
from library.errors import RETRY_AFTER_S, RefusedError
from library.models import Document, Library
from operations.nul import NulError
from retrieval.index.base import IndexUnavailableError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
# Refusals of REST framework whose own codes say less than ours.
CODES = {"parse_error": "bad_request", "throttled": "too_many_requests", "permission_denied": "forbidden"}
TEXT_CODES = ("null_characters_not_allowed", "surrogate_characters_not_allowed")


def problem(code: str, status: int, message: str, **extra: Any) -> dict[str, Any]:
    """The members of RFC 9457, a stable code, and what else the client can use."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": message, "code": code, **extra}


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """REST framework's hook: no exception of a view leaves the API as anything but a problem."""
    set_rollback()
    body, headers = _describe(error, context)
    if body["status"] == 500:
        logger.error("The API failed", exc_info=error)
    return Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def _describe(error: Exception, context: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    match error:
        case DuplicateError():
            path = reverse("api-document", args=[error.document.pk])
            link = context["request"].build_absolute_uri(path)
            return problem(error.code, error.status, error.message, document=link), {}
        case RefusedError():
            return problem(error.code, error.status, error.message), {}
        case Http404() | Document.DoesNotExist() | Library.DoesNotExist() | exceptions.NotFound():
            return problem("not_found", 404, "This does not exist, or it is not shared with you."), {}
        case exceptions.ValidationError():
            return _invalid(error), {}
        case exceptions.APIException():
            return _refused(error)
        case PermissionDenied():
            return problem("forbidden", 403, "You don't have permission to do this."), {}
        case UnreadablePostError() | SuspiciousOperation():
            return problem("bad_request", 400, "The request is damaged or incomplete. Send it again."), {}
        case ValidationError():
            return problem("invalid", 400, "A parameter has a value that is not allowed."), {}
    return _our_fault(error)


def _our_fault(error: BaseException | None) -> tuple[dict[str, Any], dict[str, str]]:
    later = {"Retry-After": str(RETRY_AFTER_S)}
    if isinstance(error, IndexRebuildingError):
        return problem("index_rebuilding", 503, f"{error} Try again later."), {
            "Retry-After": str(error.retry_after_s)
        }
    if isinstance(error, IndexUnavailableError):
        return problem(
            "index_unavailable", 503, "Search is temporarily unavailable. Try again in a few seconds."
        ), later
    if isinstance(error, OperationalError | InterfaceError):
        logger.warning("The database does not answer: %s", error)
        return problem(
            "database_unavailable", 503, "Quarry is temporarily unavailable. Try again in a few seconds."
        ), later
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        logger.error("The disk for documents is full.")
        return problem("storage_full", 507, "The server has no space left for documents. Tell an admin."), {}
    return problem("internal", 500, "Something went wrong on our side. An admin can see it in the log."), {}


def _refused(error: exceptions.APIException) -> tuple[dict[str, Any], dict[str, str]]:
    headers: dict[str, str] = {}
    if scheme := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = scheme
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    code = str(getattr(error.detail, "code", error.default_code))
    message = str(error.detail)
    if isinstance(error, exceptions.PermissionDenied) and message.startswith("CSRF"):
        return problem(
            "csrf_failed", 403, "The CSRF token is missing or wrong. Load the page again."
        ), headers
    return problem(CODES.get(code, code), error.status_code, message), headers


def _invalid(error: exceptions.ValidationError) -> dict[str, Any]:
    """One entry for each wrong field. Control characters have a code of their own wherever they are."""
    errors = list(_field_errors(error.detail))
    code = "control_characters" if any(e["code"] in TEXT_CODES for e in errors) else "invalid"
    message = "; ".join(f"{e['field']}: {e['message']}" if e["field"] else e["message"] for e in errors[:5])
    return problem(code, 400, message, errors=errors)


def _field_errors(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            path = str(name) if name != "non_field_errors" else ""
            yield from _field_errors(inner, ".".join(part for part in (field, path) if part))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _field_errors(inner, field)
    else:
        yield {"field": field, "code": detail.code, "message": str(detail)}


def unknown_address(request: HttpRequest, **kwargs: Any) -> HttpResponse:
    """The last route under `/api/`."""
    return _plain(
        "not_found", 404, "There is nothing at this address. See /api/v1/docs for all that there are."
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's `handler400`, for what fails before a view is reached."""
    if request.path_info.startswith("/api/"):
        if isinstance(exception, NulError):
            return _plain("control_characters", 400, f"{exception} Remove them.")
        return _plain("bad_request", 400, "The request is damaged or incomplete.")
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`. A database that is away is no fault of the request: 503, and when to come back.

    The page is drawn without asking who is signed in: that would need the database.
    """
    if request.path_info.startswith("/api/"):
        body, headers = _our_fault(sys.exception())
        return JsonResponse(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)
    error = sys.exception()
    if isinstance(error, OperationalError | InterfaceError):
        later = {"Retry-After": str(RETRY_AFTER_S)}
        return HttpResponse(get_template("operations/database_away.html").render(), status=503, headers=later)
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return HttpResponse(get_template("operations/disk_full.html").render(), status=507)
    return defaults.server_error(request)


def _plain(code: str, status: int, message: str) -> HttpResponse:
    return JsonResponse(problem(code, status, message), status=status, content_type=MEDIA_TYPE)
