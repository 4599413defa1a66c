"""Room on a disk, asked before writing: a file mapped into memory ends its process where a disk is full."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path


def ensure_room(folder: Path, needed: int) -> None:
    """Raise `OSError` ENOSPC if fewer than `needed` bytes are free for `folder`, which need not exist yet."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    if shutil.disk_usage(there).free < needed:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
