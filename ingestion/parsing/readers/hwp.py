"""HWP 5, Hancom's binary format: zlib streams of records in an OLE container.

Source: Hancom, "한글 문서 파일 형식 5.0" (revision 1.3), chapters 3.2 and 4.3.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import olefile

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.types import ParseError

STYLE, PARA_HEADER, PARA_TEXT, CTRL_HEADER, LIST_HEADER, TABLE = 26, 66, 67, 71, 72, 77
COMPRESSED, PASSWORD, DISTRIBUTED = 1, 2, 4
TABLE_CONTROL = b" lbt"
# Control characters of one unit; all others below 32 take eight.
SINGLE = {0: "", 10: "\n", 13: "", 24: "-", 25: "", 26: "", 27: "", 28: "", 29: "", 30: " ", 31: " "}
TAB = 9
OUTLINE = re.compile(r"(?:개요|Outline) (\d)")
SECTION = re.compile(r"Section(\d+)")


def read(path: Path, builder: TextBuilder) -> None:
    try:
        with olefile.OleFileIO(str(path)) as container:
            _read_container(container, builder)
    except (OSError, struct.error, IndexError) as error:  # olefile's errors are OSErrors
        raise ParseError("corrupt") from error


def _read_container(container: Any, builder: TextBuilder) -> None:
    if not container.exists("FileHeader"):
        raise ParseError("corrupt")
    header = container.openstream("FileHeader").read(256)
    if not header.startswith(b"HWP Document File"):
        raise ParseError("corrupt")
    (flags,) = struct.unpack_from("<I", header, 36)
    if flags & (PASSWORD | DISTRIBUTED):
        raise ParseError("encrypted")
    _describe(container, builder)
    reader = _Sections(builder, _outline_styles(_stream(container, "DocInfo", flags, builder)))
    names = [entry[1] for entry in container.listdir() if entry[0] == "BodyText" and len(entry) == 2]
    for _, name in sorted((int(m[1]), name) for name in names if (m := SECTION.fullmatch(name))):
        reader.read(_stream(container, f"BodyText/{name}", flags, builder))


def _stream(container: Any, name: str, flags: int, builder: TextBuilder) -> bytes:
    data: bytes = container.openstream(name).read()
    if not flags & COMPRESSED:
        return data
    inflater = zlib.decompressobj(-15)
    try:
        out = inflater.decompress(data, builder.limits.archive_bytes)
    except zlib.error as error:
        raise ParseError("corrupt") from error
    if inflater.unconsumed_tail:
        raise ParseError("too_complex")
    return out


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(tag, level, payload) of each record; a record that is cut off ends the stream."""
    position = 0
    while position + 4 <= len(data):
        (head,) = struct.unpack_from("<I", data, position)
        position += 4
        size = head >> 20
        if size == 0xFFF:
            (size,) = struct.unpack_from("<I", data, position)
            position += 4
        yield head & 0x3FF, head >> 10 & 0x3FF, data[position : position + size]
        position += size


def _outline_styles(doc_info: bytes) -> dict[int, int]:
    """Style number -> heading level."""
    styles = [payload for tag, _, payload in _records(doc_info) if tag == STYLE]
    found = {}
    for number, payload in enumerate(styles):
        length = int.from_bytes(payload[:2], "little")
        if match := OUTLINE.match(payload[2 : 2 + 2 * length].decode("utf-16-le", "replace")):
            found[number] = int(match[1])
    return found


def _describe(container: Any, builder: TextBuilder) -> None:
    name = "\x05HwpSummaryInformation"
    if container.exists(name):
        facts = container.getproperties(name, convert_time=True)
        builder.title = str(facts.get(2) or "")
        changed = facts.get(13) or facts.get(12)
        builder.date = changed.isoformat() if hasattr(changed, "isoformat") else ""


class _Sections:
    """Walks the records of the body: paragraphs, and the cells of the outermost tables."""

    def __init__(self, builder: TextBuilder, styles: dict[int, int]) -> None:
        self.builder = builder
        self.styles = styles
        self.style = 0
        self.table_level = -1  # of the table's control, -1 outside of tables
        self.cells: dict[tuple[int, int], list[str]] = {}
        self.cell: list[str] | None = None
        self.has_table_record = False

    def read(self, data: bytes) -> None:
        for tag, level, payload in _records(data):
            if self.table_level >= 0 and level <= self.table_level:
                self._end_table()
            if tag == PARA_HEADER and len(payload) > 10:
                self.style = payload[10]
            elif tag == PARA_TEXT:
                self._text(text_of(payload))
            elif tag == CTRL_HEADER and payload[:4] == TABLE_CONTROL and self.table_level < 0:
                self.table_level, self.has_table_record = level, False
            elif tag == TABLE and level == self.table_level + 1:
                self.has_table_record = True
            elif tag == LIST_HEADER and self.has_table_record and level == self.table_level + 1:
                column, row = struct.unpack_from("<HH", payload, 8)
                self.cell = self.cells.setdefault((row, column), [])
        self._end_table()

    def _text(self, text: str) -> None:
        if self.cell is not None:
            self.cell.append(text)
        elif level := self.styles.get(self.style):
            self.builder.heading(level, text)
        else:
            self.builder.paragraph(text)

    def _end_table(self) -> None:
        cells, self.cells, self.cell, self.table_level = self.cells, {}, None, -1
        rows: dict[int, list[str]] = {}
        for (row, _), texts in sorted(cells.items()):
            rows.setdefault(row, []).append(" ".join(texts))
        if len(cells) == 1:  # a frame around text
            self.builder.paragraph("\n".join(next(iter(cells.values()))))
        else:
            self.builder.table(list(rows.values()))


def text_of(payload: bytes) -> str:
    """The characters of a PARA_TEXT record, without its controls."""
    units = struct.unpack(f"<{len(payload) // 2}H", payload[: len(payload) // 2 * 2])
    out: list[int] = []
    position = 0
    while position < len(units):
        unit = units[position]
        if unit >= 32:
            out.append(unit)
            position += 1
        elif unit in SINGLE:
            out += map(ord, SINGLE[unit])
            position += 1
        else:
            if unit == TAB:
                out.append(TAB)
            position += 8
    return struct.pack(f"<{len(out)}H", *out).decode("utf-16-le", "replace")
