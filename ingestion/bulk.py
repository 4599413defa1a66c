"""Many small texts in one request: NDJSON in, one result line for each line, never all of it in memory."""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

from django.http import UnreadablePostError

from ingestion.intake import Outcome, ingest_record
from library.errors import RefusedError
from library.http import load_json
from library.models import Library

logger = logging.getLogger(__name__)

BLOCK = 2**16
MAX_LINE = 16 * 2**20
MAX_RATIO = 200  # inflated / packed; NDJSON of prose reaches about 10
FREE_OF_RATIO = 2**20  # what may be inflated before the ratio counts


class Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def ingest_lines(library: Library, stream: Stream, encoding: str, *, user: Any) -> Iterator[bytes]:
    """Accept each line as a document; yield its result as a line of JSON.

    A line that is wrong fails alone. When the stream itself breaks, the last result line says so, and the
    lines before it stand.
    """
    blocks = iter(lambda: stream.read(BLOCK), b"")
    number = 0
    try:
        for number, line in enumerate(_lines(_inflate(blocks) if encoding == "gzip" else blocks), 1):
            if line is None or line.strip():
                yield _result(number, line, library, user)
    except RefusedError as error:
        yield _error(number + 1, error.code, error.message)
    except (UnreadablePostError, OSError):
        yield _error(number + 1, "bad_form", "The request broke off here. Send the rest again.")


def _result(number: int, line: bytes | None, library: Library, user: Any) -> bytes:
    if line is None:
        return _error(
            number, "too_large", f"The line is longer than {MAX_LINE // 2**20} MB. Upload it as a file."
        )
    try:
        record = load_json(line)
    except ValueError:
        return _error(number, "bad_json", "The line is not a JSON object.")
    own_id = (
        {"id": record["id"]} if isinstance(record, dict) and isinstance(record.get("id"), str | int) else {}
    )
    try:
        return _as_line(number, own_id, ingest_record(library, record, user=user))
    except Exception:
        logger.exception("A record of a bulk upload failed by a fault of ours")
        return _error(number, "internal", "Something went wrong on our side. Send this line again.", **own_id)


def _as_line(number: int, own_id: dict[str, Any], outcome: Outcome) -> bytes:
    if outcome.document is None:
        return _error(number, outcome.code, outcome.message, **own_id)
    status = "queued" if outcome.accepted else outcome.code
    return _line({"line": number, **own_id, "status": status, "document": str(outcome.document.pk)})


def _error(number: int, code: str, message: str, **own_id: Any) -> bytes:
    return _line({"line": number, **own_id, "status": "error", "error": {"code": code, "message": message}})


def _line(result: dict[str, Any]) -> bytes:
    return json.dumps(result).encode() + b"\n"


def _lines(blocks: Iterator[bytes]) -> Iterator[bytes | None]:
    """Lines without their ends; None for one that is longer than `MAX_LINE`, which is skipped, not held."""
    buffer, skipping = bytearray(), False
    for block in blocks:
        *ended, rest = block.split(b"\n")
        for piece in ended:
            buffer += piece
            yield None if skipping or len(buffer) > MAX_LINE else bytes(buffer)
            buffer.clear()
            skipping = False
        buffer += rest
        if len(buffer) > MAX_LINE:
            buffer.clear()
            skipping = True
    if buffer or skipping:
        yield None if skipping else bytes(buffer)


def _inflate(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The content of one gzip member or several. Raises `RefusedError` for bombs and damage."""
    decoder, packed, inflated, fresh = zlib.decompressobj(wbits=31), 0, 0, True
    for block in blocks:
        packed += len(block)
        while block:
            fresh = False
            try:
                data = decoder.decompress(block, BLOCK)
            except zlib.error:
                raise RefusedError(
                    "corrupt", 400, "The gzip data is damaged here. Send the rest again."
                ) from None
            inflated += len(data)
            if inflated > FREE_OF_RATIO and inflated > packed * MAX_RATIO:
                raise RefusedError(
                    "unsafe_archive", 400, "The gzip data unpacks to too much. Send it unpacked."
                )
            yield data
            block = decoder.unconsumed_tail
            if decoder.eof:
                block, fresh, decoder = decoder.unused_data, True, zlib.decompressobj(wbits=31)
    rest = decoder.flush()
    if rest:
        yield rest
    if not (fresh or decoder.eof):
        raise RefusedError("corrupt", 400, "The gzip data breaks off here. Send the rest again.")
