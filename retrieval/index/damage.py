"""What the embedded engine does about files that it cannot read: it keeps them, out of the way.

Nothing is deleted. The index can be rebuilt from the database, and an admin may want to see what was there.
"""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path

from retrieval.index.base import IndexUnavailableError

# Of failures that pass, or that an admin has to mend: the files are as good as they were.
_NOT_THE_FILES = ("No space left", "Too many open files", "Cannot allocate memory", "Permission denied")
# Of vectors that are not where their segment says.
_UNREADABLE = ("is not readable", "is out of bounds")

log = logging.getLogger(__name__)


def set_aside(path: Path, folder: Path, reason: object) -> None:
    """Move a damaged file or folder to `damaged/` in `folder`, and say so in the log."""
    aside = folder / "damaged"
    kept = aside / f"{path.name}-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 1_000_000:06}"
    try:
        aside.mkdir(exist_ok=True)
        path.rename(kept)
    except OSError as error:
        raise IndexUnavailableError(f"{path} is damaged ({reason}) and cannot be moved: {error}") from error
    log.error("%s is damaged (%s). It is kept as %s.", path, reason, kept)


def is_of_the_files(error: BaseException) -> bool:
    """Whether what the engine raised on opening a collection says that its files are damaged."""
    if any(text in str(error) for text in _NOT_THE_FILES):
        return False
    return isinstance(error, Exception) or is_panic(error)


def is_unreadable(error: BaseException) -> bool:
    """Whether what the engine raised on a call says that the files of an open collection are damaged."""
    return any(text in str(error) for text in _UNREADABLE)


def is_panic(error: BaseException) -> bool:
    """Whether it is a failure in Rust's code: a `PanicException`, which is no `Exception`."""
    return type(error).__name__ == "PanicException"


def read_aliases(file: Path) -> dict[str, str]:
    """The aliases by name; none where there is no file. Raises ValueError for a damaged one."""
    try:
        aliases = json.loads(file.read_bytes())
    except FileNotFoundError:
        return {}
    if not isinstance(aliases, dict) or not all(isinstance(name, str) for name in aliases.values()):
        raise ValueError("not a list of names")
    return aliases
