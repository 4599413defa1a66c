"""How requests to the REST API are read: bounded in size and depth, whatever their sender claims."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from library.errors import RefusedError, too_large

MAX_DEPTH = 50
FORM_BYTES = 2**20  # what a form may hold besides its file


def load_json(text: str | bytes) -> Any:
    """The value. Raises `ValueError` for what is no JSON, or no database stores: NaN, numbers that no float
    holds, bad encodings, nesting beyond `MAX_DEPTH`."""
    try:
        value = json.loads(text, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("It is nested too deeply.") from None
    level, depth = [value], 0
    while level := [
        child
        for item in level
        if isinstance(item, dict | list)
        for child in (item.values() if isinstance(item, dict) else item)
    ]:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError("It is nested too deeply.")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")


def _finite(digits: str) -> float:
    if math.isinf(number := float(digits)):
        raise ValueError(f"{digits[:20]} is too large a number.")
    return number


class BoundedJSONParser(BaseParser):
    """JSON of at most `DATA_UPLOAD_MAX_MEMORY_SIZE` bytes; Django checks that for forms only."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise RefusedError("too_large", 413, f"The request is larger than {limit // 2**20} MB.")
        try:
            return load_json(body)
        except ValueError as error:
            raise ParseError(f"The body is not JSON. {error}", code="bad_json") from None


class UploadParser(MultiPartParser):
    """A form with a file, which goes to disk while it comes in. What is wrong with the form is `bad_form`.

    A file that is cut off before the closing boundary is dropped by Django's parser, so it is missing here.
    """

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        length = (parser_context or {})["request"].META.get("CONTENT_LENGTH") or "0"
        if length.isdigit() and int(length) > settings.MAX_UPLOAD_BYTES + FORM_BYTES:
            raise too_large(settings.MAX_UPLOAD_BYTES)
        try:
            return super().parse(stream, media_type, parser_context)
        except TooManyFilesSent:
            raise RefusedError("too_many", 400, "Send one file a request.") from None
        except RequestDataTooBig:
            raise RefusedError("too_large", 413, "The form's fields are too large.") from None
        except (ParseError, TooManyFieldsSent, ValueError):
            raise RefusedError("bad_form", 400, "The form is damaged or incomplete. Send it again.") from None


class StreamParser(BaseParser):
    """The body as it comes, to be read piece by piece."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        return stream


class AcceptAll(BaseContentNegotiation):
    """Every endpoint has one format; a client that asks for a PDF, or for NDJSON, still gets its errors."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        content_type = (request.content_type or "").split(";")[0].strip().lower()
        return next((p for p in parsers if p.media_type in ("*/*", content_type)), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        renderer = next(iter(renderers))
        return renderer, str(renderer.media_type)
