"""Limits that the child process puts on itself before it touches a document. Linux and macOS."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

OUT_OF_MEMORY = 77  # the status of a child that ends for it
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


_files: list[int] = []  # files in memory, made before no file may grow


def prepare_files(number: int, size: int) -> None:
    """Make empty files in memory for `as_file`; `size` bytes each, which take memory once written."""
    if sys.platform == "linux":
        for _ in range(number):
            _files.append(os.memfd_create("attachment"))
            os.ftruncate(_files[-1], size)


def files_left() -> int:
    return len(_files)


@contextmanager
def as_file(data: bytes) -> Iterator[Path]:
    """The path of a file with this content, for readers that open files. Raises `OSError` where none is left.

    A confined process may write to no file, but it may write to the memory of one that is large enough, and
    shorten it.
    """
    if not _files:
        raise OSError("No file was prepared.")
    file = _files.pop()
    try:
        if data:
            with mmap.mmap(file, len(data)) as memory:
                memory[:] = data
        os.ftruncate(file, len(data))
        yield Path(f"/proc/self/fd/{file}")
    finally:
        os.close(file)


def confine(memory: int) -> None:
    """Cap memory (bytes), forbid writing files and dumping core, leave the network where the kernel lets us.

    Must come before threads exist: a new user namespace is refused to a process with threads.
    """
    _cut_network()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, 64 + len(_files))
    if sys.platform == "linux":  # macOS refuses limits on memory
        _limit(resource.RLIMIT_DATA, memory)


def allow_cpu(seconds: int) -> None:
    """Let this process use so many more CPU seconds, then end it by SIGXCPU."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used) + 1 + seconds, hard))


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def _cut_network() -> None:
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if libc.unshare(CLONE_NEWNET) != 0:  # needs privilege, unless a user namespace comes with it
        libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)
