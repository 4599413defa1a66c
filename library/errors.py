"""What is refused: one family of errors, for uploads, queries and every other request."""

from __future__ import annotations

RETRY_AFTER_S = 5  # what is told of something that is away for a moment


class RefusedError(Exception):
    """A request that is refused: a stable code, an HTTP status, and a sentence that says what to do."""

    def __init__(self, code: str, status: int, message: str) -> None:
        super().__init__(message)
        self.code, self.status, self.message = code, status, message


class UploadError(RefusedError):
    """A file may not come in."""


def too_large(limit: int) -> UploadError:
    """The refusal of a file with more than `limit` bytes."""
    return UploadError(
        "too_large", 413, f"The file is larger than {limit // 2**20} MB. Split it, or ask an admin."
    )
