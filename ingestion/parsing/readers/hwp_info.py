"""What the head of an HWP 5 file says of its paragraphs: which are headings, and how they are numbered.

Source: Hancom, "한글 문서 파일 형식 5.0" (revision 1.3), 4.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

from ingestion.parsing.readers.counting import Level, List
from ingestion.parsing.readers.hancom import OUTLINE_STYLE, Numbers, form_of_code, pattern
from ingestion.parsing.readers.hwp_container import Record

NUMBERING, BULLET, PARA_SHAPE, STYLE = 23, 24, 25, 26
NONE, OUTLINE, NUMBER, BULLETED = range(4)
LEVELS = 7
BULLETS = "bullets"


@dataclass(frozen=True, slots=True)
class Shape:
    """How the paragraphs of one shape are numbered."""

    head: int = NONE
    level: int = 0
    numbering: int = 0  # from 1; 0: what the section says


@dataclass(slots=True)
class Info:
    """Styles and shapes by their places in the file, and the counters of all lists."""

    headings: dict[int, int] = field(default_factory=dict)  # style -> level of heading
    shapes: list[Shape] = field(default_factory=list)
    numbers: Numbers = field(default_factory=Numbers)

    def label(self, shape: int, outline: int) -> str:
        """The number of the next paragraph of a shape; `outline` is the list of the section's outline."""
        found = self.shapes[shape] if shape < len(self.shapes) else Shape()
        if found.head == NONE:
            return ""
        if found.head == BULLETED:
            return self.numbers.label(BULLETS, 0)
        return self.numbers.label(str(found.numbering or outline), found.level)


def read_info(records: Iterable[Record]) -> Info:
    info = Info()
    styles = numberings = 0
    info.numbers.lists[BULLETS] = List(BULLETS, BULLETS, {0: Level("", "bullet")}, {})
    for tag, _, payload in records:
        if tag == STYLE:
            length = int.from_bytes(payload[:2], "little")
            if match := OUTLINE_STYLE.match(payload[2 : 2 + 2 * length].decode("utf-16-le", "replace")):
                info.headings[styles] = int(match[1])
            styles += 1
        elif tag == PARA_SHAPE:
            info.shapes.append(_shape(payload))
        elif tag == NUMBERING:
            numberings += 1
            name = str(numberings)
            info.numbers.lists[name] = List(name, name, _levels(payload), {})
    return info


def _shape(payload: bytes) -> Shape:
    if len(payload) < 32:
        return Shape()
    (flags,) = struct.unpack_from("<I", payload)
    (numbering,) = struct.unpack_from("<H", payload, 30)
    return Shape(flags >> 23 & 3, flags >> 25 & 7, numbering)


def _levels(payload: bytes) -> dict[int, Level]:
    """The heads of paragraphs of a list, an outermost to an innermost level, then where they start."""
    heads: list[tuple[str, str]] = []
    position = 0
    for _ in range(LEVELS):
        if position + 14 > len(payload):
            break
        (flags,) = struct.unpack_from("<I", payload, position)
        (length,) = struct.unpack_from("<H", payload, position + 12)
        text = payload[position + 14 : position + 14 + 2 * length].decode("utf-16-le", "replace")
        heads.append((pattern(text), form_of_code(flags >> 5 & 0xF)))
        position += 14 + 2 * length
    starts = [0] * LEVELS
    if position + 2 + 4 * LEVELS <= len(payload):  # older files have one start for all levels
        starts = list(struct.unpack_from(f"<{LEVELS}I", payload, position + 2))
    return {
        place: Level(text, form, start if 0 < start < 10_000 else 1)
        for place, ((text, form), start) in enumerate(zip(heads, starts, strict=False))
    }
