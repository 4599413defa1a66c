"""The child process: reads one document after another, each named by a line of JSON on standard input.

It answers each with blocks of bytes, each after its length (8 bytes, big-endian), the last of them empty: a
JSON object, {"document": {...}} or {"error": code}, then the text in pieces of UTF-8. It never answers
with anything that the parent would have to trust more than JSON.
"""

from __future__ import annotations

import json
import os
import select
import sys
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from ingestion.parsing.sandbox import OUT_OF_MEMORY, allow_cpu, confine, files_left, prepare_files
from ingestion.parsing.types import ParseError, ParseLimits

IDLE_SECONDS = 60
FILES = 200  # for attachments, before another child takes over
PIECE = 1 << 20  # characters of text


def main() -> None:
    """Answer until there is nothing to do. Ends with `OUT_OF_MEMORY` where none is left to answer with."""
    try:
        _serve()
    except MemoryError:
        os._exit(OUT_OF_MEMORY)


def _serve() -> None:
    requests, answers = sys.stdin.buffer.raw, sys.stdout.buffer  # type: ignore[union-attr]
    sys.stdout = sys.stderr  # what a library prints is no answer
    first = True
    while line := _next_line(requests):
        request = json.loads(line)
        limits = ParseLimits(**request["limits"])
        if first:
            prepare_files(FILES, limits.attachment_bytes)
            confine(limits.memory)
            first = False
        allow_cpu(limits.cpu_seconds)
        for block in (*_answer(request, limits), b""):
            answers.write(len(block).to_bytes(8, "big"))
            answers.write(block)
        answers.flush()
        if files_left() < limits.attachments:
            return


def _next_line(stream: BinaryIO) -> bytes:
    """One request, or nothing at the end of input or after a minute without work."""
    readable, _, _ = select.select([stream], [], [], IDLE_SECONDS)
    return stream.readline() if readable else b""


def _answer(request: dict[str, Any], limits: ParseLimits) -> Iterator[bytes]:
    answer, text = _outcome(request, limits)
    yield json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")
    for start in range(0, len(text), PIECE):
        yield text[start : start + PIECE].encode("utf-8", "replace")


def _outcome(request: dict[str, Any], limits: ParseLimits) -> tuple[dict[str, Any], str]:
    try:
        from ingestion.parsing.readers import read  # after the limits hold

        document = read(Path(request["path"]), request["content_type"], limits, tuple(request["ocr"]))
        return {"document": replace(document, text="").to_json()}, document.text
    except ParseError as error:
        return {"error": error.code, "message": error.message}, ""
    except (MemoryError, RecursionError):
        return {"error": "too_complex", "message": ""}, ""
    except Exception:
        # Documents break readers in ways that no list foresees; the parent logs where.
        return {"error": "corrupt", "message": "", "detail": traceback.format_exc(limit=-20)}, ""


if __name__ == "__main__":
    main()
