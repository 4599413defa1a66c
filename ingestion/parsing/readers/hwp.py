"""HWP 5, Hancom's binary format: paragraphs, and the tables, notes, boxes and equations that hang on them.

Source: Hancom, "한글 문서 파일 형식 5.0" (revision 1.3), 4.3. The records of a paragraph follow its header,
at deeper levels; each control that its text has a place for is followed by the paragraphs in it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.blocks import Block, Placed, add_blocks, flat, grid
from ingestion.parsing.readers.hancom import Line, form_of_code
from ingestion.parsing.readers.hwp_container import Container, Record
from ingestion.parsing.readers.hwp_info import Info, read_info
from ingestion.parsing.readers.numerals import numeral
from ingestion.parsing.types import ParseError

PARA_HEADER, PARA_TEXT, CTRL_HEADER, LIST_HEADER, TABLE, EQUATION, TEXT_ART = 66, 67, 71, 72, 77, 88, 90
# Control characters of one unit; all others below 32 take eight.
SINGLE = {0: "", 10: "\n", 13: "", 24: "-", 25: "", 26: "", 27: "", 28: "", 29: "", 30: " ", 31: " "}
TAB = 9
WITH_RECORD = {1, 2, 3, 11, 12, 14, 15, 16, 17, 18, 21, 22, 23}  # those that a control header belongs to


def read(path: Path, builder: TextBuilder) -> None:
    try:
        with Container(path, builder.limits) as container:
            facts = container.facts()
            builder.title = str(facts.get(2) or "")
            changed = facts.get(13) or facts.get(12)
            builder.date = changed.isoformat() if isinstance(changed, datetime) else ""
            info = read_info(container.info())
            shown: set[str] = set()
            for records in container.sections():
                add_blocks(_Section(records, info, shown).read(), builder)
    except (OSError, struct.error, IndexError, ValueError) as error:  # olefile raises all of them
        raise ParseError("corrupt") from error


class _Section:
    """Walks the records of one section. `shown` are the headers and footers that were given already."""

    def __init__(self, records: Iterator[Record], info: Info, shown: set[str]) -> None:
        self._records = records
        self._peeked: Record | None = None
        self._info = info
        self._shown = shown
        self._outline = 0  # the list that numbers the section's outline

    def read(self) -> Iterator[Block]:
        while (record := self._peek()) is not None:
            if record.tag == PARA_HEADER:
                yield from self._paragraph()
            else:
                self._next()

    def _peek(self) -> Record | None:
        if self._peeked is None:
            self._peeked = next(self._records, None)
        return self._peeked

    def _next(self) -> Record:
        record = self._peek()
        assert record is not None
        self._peeked = None
        return record

    def _below(self, level: int) -> Iterator[Record]:
        """The next record, for as long as it lies deeper than a level. Whoever asks takes it."""
        while (record := self._peek()) is not None and record.level > level:
            yield record

    def _paragraph(self) -> list[Block]:
        head = self._next()
        line = Line()
        pieces: list[str | None] = []
        inline: list[str] = []
        for record in self._below(head.level):
            if record.tag == CTRL_HEADER:
                inline.append(self._control(line))
            elif record.tag == PARA_HEADER:  # of a memo
                line.beside += self._paragraph()
            else:
                if record.tag == PARA_TEXT:
                    pieces = pieces_of(record.payload)
                self._next()
        places = iter(inline)
        line.parts = [next(places, "") if piece is None else piece for piece in pieces]
        shape, style = struct.unpack_from("<HB", head.payload, 8) if len(head.payload) > 10 else (0, 0)
        return line.blocks(self._info.label(shape, self._outline), self._info.headings.get(style, 0))

    def _paragraphs(self, level: int) -> list[Block]:
        found: list[Block] = []
        while (record := self._peek()) is not None and record.tag == PARA_HEADER and record.level == level:
            found += self._paragraph()
        return found

    def _control(self, line: Line) -> str:
        """Read a control with all that is in it. Returns its text where that stands within the line."""
        head = self._next()
        kind = head.payload[3::-1].decode("latin-1")
        blocks: list[Block] = []
        cells: list[Placed] = []
        text = _own_text(kind, head.payload)
        if kind == "secd" and len(head.payload) >= 20:
            (self._outline,) = struct.unpack_from("<H", head.payload, 18)
        in_table = False
        for record in self._below(head.level):
            if record.tag == PARA_HEADER:
                blocks += self._paragraph()
                continue
            self._next()
            if record.tag == LIST_HEADER:
                content = self._paragraphs(record.level)
                if in_table and len(record.payload) >= 12:
                    cells.append(_placed(record.payload, content))
                else:
                    blocks += content
            elif record.tag == TABLE:
                in_table = True
            elif record.tag == EQUATION:
                text += _string(record.payload, 4)[0]
            elif record.tag == TEXT_ART:
                line.asides.append(_string(record.payload, 32)[0])
        self._place(kind, line, [*blocks, grid(cells)] if cells else blocks)
        return text

    def _place(self, kind: str, line: Line, blocks: list[Block]) -> None:
        """Notes and comments go with their paragraph; all else stands beside it."""
        if kind in {"fn  ", "en  "}:
            line.asides.append(flat(blocks))
        elif kind == "tcmt":
            line.asides.append(f"Comment: {flat(blocks)}")
        elif kind in {"head", "foot"}:
            text = flat(blocks)
            line.beside += [] if text in self._shown else blocks
            self._shown.add(text)
        else:
            line.beside += blocks


def _own_text(kind: str, payload: bytes) -> str:
    """The text that a control's own record holds: numbers, and words with words above them."""
    if kind == "atno" and len(payload) >= 16:
        flags, number, _, before, after = struct.unpack_from("<I4H", payload, 4)
        marks = (chr(mark) if 32 < mark < 0xD800 else "" for mark in (before, after))
        return numeral(number, form_of_code(flags >> 4 & 0xFF)).join(marks) if flags & 0xF else ""
    if kind == "tdut":
        main, end = _string(payload, 4)
        above, _ = _string(payload, end)
        return f"{main}({above})" if above else main
    return ""


def _string(payload: bytes, position: int) -> tuple[str, int]:
    """Text after its length, and where it ends."""
    length = int.from_bytes(payload[position : position + 2], "little")
    end = position + 2 + 2 * length
    return payload[position + 2 : end].decode("utf-16-le", "replace"), end


def _placed(payload: bytes, blocks: list[Block]) -> Placed:
    column, row = struct.unpack_from("<HH", payload, 8)
    columns, rows = struct.unpack_from("<HH", payload, 12) if len(payload) >= 16 else (1, 1)
    return Placed(row, column, rows, columns, blocks)


def pieces_of(payload: bytes) -> list[str | None]:
    """The characters of a PARA_TEXT record, with None where a control stands that has a record."""
    units = struct.unpack(f"<{len(payload) // 2}H", payload[: len(payload) // 2 * 2])
    pieces: list[str | None] = []
    run: list[int] = []
    position = 0
    while position < len(units):
        unit = units[position]
        position += 1 if unit >= 32 or unit in SINGLE else 8
        if unit >= 32 or unit == TAB:
            run.append(unit)
        elif unit in SINGLE:
            run += map(ord, SINGLE[unit])
        elif unit in WITH_RECORD:
            pieces += [_decoded(run), None]
            run = []
    return [*pieces, _decoded(run)]


def _decoded(units: list[int]) -> str:
    return struct.pack(f"<{len(units)}H", *units).decode("utf-16-le", "replace")
