"""Which passages the cross-encoder never learns from: figures made of training pairs judge the unseen."""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

WORDS = 180  # of a passage, as chunking makes them
_ONE_IN = 50


def held_out(passages: Sequence[str]) -> NDArray[np.bool_]:
    """(passages,): by the hash of their first words, so that every step of training holds out the same."""
    hashes = np.array(
        [crc32(shortened(passage).encode("utf-8", "replace")) for passage in passages], dtype=np.uint32
    )
    return np.asarray(hashes % _ONE_IN == 0)


def shortened(passage: str) -> str:
    """Return the first words, divided by single spaces."""
    return " ".join(passage.split()[:WORDS])
