"""Text boxes and chart titles of old Excel workbooks: the records that xlrd passes over ([MS-XLS] 2.4)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import olefile

END, CONTINUE, OBJECT, BOUND_SHEET, TEXT_OBJECT, CHART_TEXT = 0x0A, 0x3C, 0x5D, 0x85, 0x1B6, 0x100D
NOTE = 0x19  # the kind of object that carries a cell's comment, which xlrd gives
WORKSHEET = 0  # the kind of sheet that has cells


def layers(path: Path) -> dict[int, list[str]]:
    """Paragraphs by the number of their worksheet from 0; a chart sheet's stand with the worksheet before it.

    Empty where the file is older than Excel 97, or damaged.
    """
    found: dict[int, list[str]] = {}
    try:
        with olefile.OleFileIO(str(path)) as container:
            stream = container.openstream("Workbook").read()
        starts = _sheet_starts(stream)
        for number, (start, end) in enumerate(zip(starts, [*starts[1:], len(stream)], strict=True)):
            found[number] = list(_texts(stream[start:end]))
    except (OSError, IndexError, struct.error):
        return {}
    return found


def _sheet_starts(stream: bytes) -> list[int]:
    """Where the records of each worksheet begin."""
    sheets = [payload for kind, payload in _records(stream) if kind == BOUND_SHEET]
    return sorted(struct.unpack_from("<I", payload)[0] for payload in sheets if payload[5] == WORKSHEET)


def _texts(records: bytes) -> Iterator[str]:
    chart: list[str] = []
    is_note = False
    left = 0  # characters of the current text box that are still to come
    box = ""
    for kind, payload in _records(records):
        if kind == OBJECT:
            is_note = struct.unpack_from("<H", payload, 4)[0] == NOTE
        elif kind == TEXT_OBJECT:
            left, box = struct.unpack_from("<H", payload, 10)[0], ""
        elif kind == CONTINUE and left > 0:
            text = payload[1:].decode("utf-16-le" if payload[0] & 1 else "latin-1", "replace")
            left, box = left - len(text), box + text
            if left <= 0 and not is_note:
                yield box
        elif kind == CHART_TEXT:
            text = payload[4:].decode("utf-16-le" if payload[3] & 1 else "latin-1", "replace")
            chart.append(text[: payload[2]])
        elif kind == END and chart:
            yield "Chart: " + "\n".join(dict.fromkeys(chart))
            chart = []


def _records(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """(kind, payload) of each record."""
    place = 0
    while place + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, place)
        yield kind, stream[place + 4 : place + 4 + size]
        place += 4 + size
