"""Memory that a large document took, given back to the system."""

from __future__ import annotations

import ctypes
import sys


def give_back() -> None:
    """Return what glibc keeps for later, which after a large document is most of it. Takes milliseconds."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim:
            trim(0)
