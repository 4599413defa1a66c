"""A server that hangs: the processes are stopped, while the kernel goes on accepting for them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def postmaster(folder: Path) -> int:
    """The process of the server that `servers.postgres(folder)` started."""
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """The process and all that descend from it."""
    stopped = [pid]
    for parent in stopped:
        os.kill(parent, signal.SIGSTOP)  # before its children are listed, so that it makes no more
        stopped += _children(parent)
    try:
        yield
    finally:
        for process in reversed(stopped):
            os.kill(process, signal.SIGCONT)


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in listed.split()]
