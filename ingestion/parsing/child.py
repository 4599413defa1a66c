"""The child process: reads one document after another, each named by a line of JSON on standard input.

It answers each with the length (8 bytes, big-endian) and the bytes of one JSON object: {"document": {...}},
or {"error": code}. It never answers with anything that the parent would have to trust more than JSON.
"""

from __future__ import annotations

import json
import select
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

from ingestion.parsing.sandbox import allow_cpu, confine
from ingestion.parsing.types import ParseError, ParseLimits

IDLE_SECONDS = 60


def main() -> None:
    requests, answers = sys.stdin.buffer.raw, sys.stdout.buffer  # type: ignore[union-attr]
    first = True
    while line := _next_line(requests):
        request = json.loads(line)
        limits = ParseLimits(**request["limits"])
        if first:
            confine(limits.memory)
            first = False
        allow_cpu(limits.cpu_seconds)
        answer = _answer(request, limits)
        answers.write(len(answer).to_bytes(8, "big"))
        answers.write(answer)
        answers.flush()


def _next_line(stream: BinaryIO) -> bytes:
    """One request, or nothing at the end of input or after a minute without work."""
    readable, _, _ = select.select([stream], [], [], IDLE_SECONDS)
    return stream.readline() if readable else b""


def _answer(request: dict[str, Any], limits: ParseLimits) -> bytes:
    try:
        from ingestion.parsing.readers import read  # after the limits hold

        document = read(Path(request["path"]), request["content_type"], limits)
        return _packed({"document": document.to_json()})
    except ParseError as error:
        return _packed({"error": error.code, "message": error.message})
    except (MemoryError, RecursionError):
        return _packed({"error": "too_complex", "message": ""})
    except Exception:
        # Documents break readers in ways that no list foresees; the parent logs where.
        return _packed({"error": "corrupt", "message": "", "detail": traceback.format_exc()})


def _packed(answer: dict[str, Any]) -> bytes:
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "replace")


if __name__ == "__main__":
    main()
