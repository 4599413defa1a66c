"""Where each line of a document stands on its page, packed small: a long document has a hundred thousand."""

from __future__ import annotations

import sys
import zlib
from array import array
from collections.abc import Iterator, Sequence
from typing import NamedTuple

GRAIN = 10_000  # steps across a page


class LineBox(NamedTuple):
    """A line's text[start:end], and its rectangle on its page.

    `x0, y0, x1, y1`: left, top, right and bottom as fractions (0 to 1) of the page as it is displayed, that
    is its crop box after /Rotate, from the top left. A row of a table is one line; the lines of a paragraph
    that are joined in the text keep a box each. Lines come in the order of the text.
    """

    start: int
    end: int
    page: int
    x0: float
    y0: float
    x1: float
    y1: float


def pack(lines: Sequence[LineBox]) -> bytes:
    """Seven columns of little-endian 32-bit integers, compressed; starts as steps from the line before.

    No lines pack to nothing.
    """
    if not lines:
        return b""
    starts = [line.start for line in lines]
    columns = [
        [b - a for a, b in zip([0, *starts], starts, strict=False)],
        [line.end - line.start for line in lines],
        [line.page for line in lines],
        *([round(GRAIN * line[corner]) for line in lines] for corner in range(3, 7)),
    ]
    return zlib.compress(b"".join(_bytes(array("i", column)) for column in columns))


def unpack(data: bytes) -> Iterator[LineBox]:
    """What `pack` packed, to 1/10,000 of the page."""
    if not data:
        return
    values = array("i")
    values.frombytes(zlib.decompress(bytes(data)))
    if sys.byteorder == "big":
        values.byteswap()
    size = len(values) // 7
    start = 0
    for step, length, page, *corners in zip(
        *(values[n * size : (n + 1) * size] for n in range(7)), strict=True
    ):
        start += step
        x0, y0, x1, y1 = (corner / GRAIN for corner in corners)
        yield LineBox(start, start + length, page, x0, y0, x1, y1)


def _bytes(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
