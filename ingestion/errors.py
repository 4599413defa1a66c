"""Requests that are refused."""

from __future__ import annotations

from typing import Any


class RefusedError(Exception):
    """A request that is refused: a stable code, an HTTP status, and a sentence that says what to do.

    `extra` goes along in the answer.
    """

    def __init__(self, code: str, status: int, message: str, **extra: Any) -> None:
        super().__init__(message)
        self.code, self.status, self.message, self.extra = code, status, message, extra
