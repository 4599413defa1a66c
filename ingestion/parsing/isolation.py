"""The parent's side of the child process: start, ask, time out, tell apart the ways in which it can end.

A child serves several documents, because starting one costs about 0.2 s; it is never reused after a failure.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ingestion.parsing.filetypes import EML, MSG
from ingestion.parsing.sandbox import OUT_OF_MEMORY
from ingestion.parsing.types import ParsedDocument, ParseError, ParseLimits, ParserCrashedError

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS_PER_CHILD = 200
IDLE_CHILDREN = 4
LONGEST_BLOCK = 64 << 20  # bytes of an answer
DEFAULT_LIMITS = ParseLimits()
WITH_ATTACHMENTS = {EML.content_type, MSG.content_type}
# -I keeps the current folder and PYTHON* variables out; so the path is given.
COMMAND = [
    sys.executable,
    "-I",
    "-c",
    f"import sys; sys.path.insert(0, {str(ROOT)!r}); from ingestion.parsing.child import main; main()",
]
# Nothing of the parent's environment: no secrets. One thread each, for threads take address space.
ENVIRONMENT = {
    "PATH": "/usr/bin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/nonexistent",
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "TOKIO_WORKER_THREADS": "1",
}


def parse(
    path: Path, content_type: str, *, limits: ParseLimits = DEFAULT_LIMITS, ocr: Sequence[str] = ()
) -> ParsedDocument:
    """Read a document in a child process, and its pages without text by OCR if `ocr` names languages.

    Safe to call from many threads.

    A mail whose attachments take too much is read once more without them. Raises `ParseError` for what will
    never be read as it is; `ParserCrashedError` where the child was ended by somebody else, which is worth
    another attempt.
    """
    try:
        return _parse(path, content_type, limits, ocr)
    except ParseError as error:
        if content_type not in WITH_ATTACHMENTS or error.code not in {"too_complex", "timeout"}:
            raise
        return _parse(path, content_type, replace(limits, attachments=0), ocr)


def _parse(path: Path, content_type: str, limits: ParseLimits, ocr: Sequence[str]) -> ParsedDocument:
    request = {
        "path": str(path.resolve()),
        "content_type": content_type,
        "limits": asdict(limits),
        "ocr": list(ocr),
    }
    for _ in range(2):
        child = _pool.take(limits)
        try:
            answer, text = child.ask(request)
        except _ChildRetiredError:
            continue  # it ended for lack of work just as we wrote to it
        except BaseException:
            child.close()
            raise
        break
    else:
        raise ParserCrashedError("The parser process ended before it took the document.")
    if "document" not in answer:
        child.close()
        if "detail" in answer:
            logger.warning("A reader failed on %s: %s", path, answer["detail"])
        raise ParseError(answer["error"], answer["message"])
    _pool.give_back(child)
    return ParsedDocument.from_json({**answer["document"], "text": text})


class _ChildRetiredError(Exception):
    """The child ended in good order before it answered."""


class _Child:
    def __init__(self, limits: ParseLimits) -> None:
        self.limits = limits
        self.served = 0
        self._process = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=ENVIRONMENT,
            cwd="/",
            start_new_session=True,
            bufsize=0,
        )

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """The child's answer, and the document's text."""
        assert self._process.stdin
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
        except BrokenPipeError as error:
            self.close()
            raise _ChildRetiredError from error
        deadline = time.monotonic() + self.limits.wall_seconds
        self.served += 1
        answer: dict[str, Any] = json.loads(self._block(deadline))
        pieces: list[str] = []
        length = 0
        while block := self._block(deadline):
            pieces.append(block.decode("utf-8", "replace"))
            length += len(pieces[-1])
            if length > self.limits.characters:
                raise ParseError("too_complex")
        return answer, "".join(pieces)

    def _block(self, deadline: float) -> bytes:
        size = int.from_bytes(self._read(8, deadline), "big")
        if size > LONGEST_BLOCK:
            raise ParseError("too_complex")
        return self._read(size, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        assert self._process.stdout
        received = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while len(received) < size:
                if not selector.select(max(deadline - time.monotonic(), 0)):
                    raise ParseError("timeout")
                block = os.read(self._process.stdout.fileno(), min(size - len(received), 1 << 20))
                if not block:
                    raise self._end()
                received += block
        return bytes(received)

    def _end(self) -> Exception:
        """Why the child closed its output."""
        code = self._process.wait(timeout=10)
        if code == 0:
            self.close()
            return _ChildRetiredError()
        if code == -signal.SIGXCPU:
            return ParseError("timeout")
        if code in {
            OUT_OF_MEMORY,
            -signal.SIGSEGV,
            -signal.SIGBUS,
            -signal.SIGABRT,
            -signal.SIGILL,
            -signal.SIGFPE,
        }:
            # Out of memory inside a library, or a stack that ran over: the document's doing.
            return ParseError("too_complex")
        return ParserCrashedError(f"The parser process ended with status {code}.")

    def close(self) -> None:
        """End the child and all that it started. Never raises."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        self._process.wait()


class _Pool:
    """Children that wait for their next document; the last used goes first, so others grow idle and end."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Child] = []

    def take(self, limits: ParseLimits) -> _Child:
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                return _Child(limits)
            if child.alive and child.limits == limits:
                return child
            child.close()

    def give_back(self, child: _Child) -> None:
        with self._lock:
            if child.served < DOCUMENTS_PER_CHILD and len(self._idle) < IDLE_CHILDREN:
                self._idle.append(child)
                return
        child.close()

    def forget(self) -> None:
        """In a forked process: the children belong to the parent."""
        self._lock = threading.Lock()
        self._idle = []

    def close(self) -> None:
        with self._lock:
            children, self._idle = self._idle, []
        for child in children:
            child.close()


_pool = _Pool()
atexit.register(_pool.close)
os.register_at_fork(after_in_child=_pool.forget)
