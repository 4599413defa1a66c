"""Originals go out as attachments that no browser renders or runs; parts of them on request."""

from __future__ import annotations

import re
from typing import IO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from library.models import Document

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)
INERT = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-cache",  # so that revoked access counts at once
    "Accept-Ranges": "bytes",
}


class _Part:
    """`length` bytes of a file from its present position; what `FileResponse` reads and closes."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file, self._left = file, length

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        return data

    def close(self) -> None:
        self._file.close()


def download(request: HttpRequest, document: Document) -> HttpResponseBase:
    """The stored file, or the single range of it that the request asks for.

    The caller has checked that the person may read the document. Raises `Http404` where the file is gone.
    """
    try:
        file = document.file.open("rb")
    except FileNotFoundError:
        raise Http404("The original file is missing from the store. Upload it again.") from None
    size, name = document.file.size, document.name.rsplit("/")[-1]
    span = _range(request.headers.get("Range", ""), size)
    if span == (0, size):
        return _answer(
            FileResponse(file, as_attachment=True, filename=name, content_type=document.content_type)
        )
    start, end = span
    if start >= end:
        file.close()
        return _answer(HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"}))
    file.seek(start)
    part = _Part(file, end - start)
    response = FileResponse(part, as_attachment=True, filename=name, content_type=document.content_type)
    response.status_code = 206
    response["Content-Length"] = str(end - start)
    response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return _answer(response)


def _answer(response: HttpResponseBase) -> HttpResponseBase:
    for name, value in INERT.items():
        response[name] = value
    return response


def _range(header: str, size: int) -> tuple[int, int]:
    """Start and end (exclusive); all of it for no range, several ranges or another unit (RFC 9110, 14.2)."""
    match = RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return 0, size
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return 0, size
    return int(first), min(int(last) + 1, size) if last else size
