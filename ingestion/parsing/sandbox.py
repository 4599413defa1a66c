"""Limits that the child process puts on itself before it touches a document. Linux and macOS."""

from __future__ import annotations

import ctypes
import resource
import sys

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


def confine(memory: int) -> None:
    """Cap memory (bytes), forbid writing files and dumping core, leave the network where the kernel lets us.

    Must come before threads exist: a new user namespace is refused to a process with threads.
    """
    _cut_network()
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, 64)
    if sys.platform == "linux":  # macOS refuses address-space limits
        _limit(resource.RLIMIT_AS, memory)


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
