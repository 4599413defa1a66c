"""NUL characters stop at the door: PostgreSQL cannot even be asked for one, and no link or form sends any.

JSON has its own check, field by field (REST framework's), and so have the details of an upload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase


class NulError(SuspiciousOperation):
    """A request has a NUL where the database would see it. Answered with 400."""


class RefuseNul:
    """Looks at path, headers, cookies and query before anything uses them, and at the fields of a page's form
    before its view runs. Uploads by the API are read by their parser alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        # A token with a NUL is no token, and answered as such.
        texts = {name: text for name, text in request.META.items() if name != "HTTP_AUTHORIZATION"}
        headers = (text for text in texts.values() if isinstance(text, str))
        _check(chain(headers, request.COOKIES.values(), _texts(request.GET)))
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        if request.method == "POST" and not request.path_info.startswith("/api/"):
            _check(_texts(request.POST))


def _texts(fields: QueryDict) -> Iterable[str]:
    return chain(fields, *(values for _, values in fields.lists()))


def _check(texts: Iterable[str]) -> None:
    if any("\0" in text for text in texts):
        raise NulError("The request has NUL characters.")
