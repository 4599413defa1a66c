"""A private folder for what kreuzberg unpacks, filled before any child is confined.

kreuzberg writes its PDF library to a folder below TMPDIR when it first reads a PDF. A child may write no
file, so that a new machine could never read one; and in the shared /tmp another user could lay a library of
their own there.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from ingestion.parsing.types import ParserCrashedError

# The smallest file that makes kreuzberg load the library; that it has no page is reported, and ignored.
UNPACK = """
import contextlib, kreuzberg
with contextlib.suppress(kreuzberg.KreuzbergError):
    kreuzberg.extract_bytes_sync(b"%PDF-1.4\\ntrailer<<>>\\n%%EOF", "application/pdf")
"""


def scratch_folder() -> Path:
    """The folder that children get as TMPDIR: this user's own, for this version of kreuzberg.

    Cheap but for the first time, and after somebody has swept the temporary folder. Raises
    `ParserCrashedError` where nothing can be unpacked, for want of space say: worth another attempt.
    """
    try:
        folder = _own_folder(f"quarry-parser-{os.getuid()}-{version('kreuzberg')}")
        if not any(path.suffix in {".so", ".dylib"} for path in folder.rglob("*")):
            _unpack(folder)
    except (OSError, subprocess.SubprocessError) as error:
        raise ParserCrashedError(f"The parser's libraries could not be unpacked: {error}") from error
    return folder


def _unpack(folder: Path) -> None:
    subprocess.run(
        [sys.executable, "-I", "-c", UNPACK],
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TMPDIR": str(folder)},
        cwd="/",
        check=True,
        timeout=60,
        capture_output=True,
    )


def _own_folder(name: str) -> Path:
    """`name` in the temporary folder, if it is this user's alone; else a new one for this process."""
    folder = Path(tempfile.gettempdir()) / name
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o077:
        return folder
    return Path(tempfile.mkdtemp(prefix=f"{name}-"))
