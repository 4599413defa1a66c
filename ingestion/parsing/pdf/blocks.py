"""What a region is made of: tables, and lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.parsing.pdf.frames import Box


@dataclass(slots=True)
class Line:
    """One line of text, or one row of a table (then `cells` are set), with its box in the reading frame.

    `head`, `gap`: how wide its first word is, and the usual space between its words; `right`: where the full
    lines of its region end; `spaced`: a space stands at its end in the file.
    """

    text: str
    box: Box
    size: float
    bold: bool = False
    head: float = 0.0
    gap: float = 0.0
    right: float = 0.0
    spaced: bool = False
    cells: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Block:
    """Lines that belong together: a stretch of text, or a table whose first row may be its header."""

    lines: list[Line]
    table: bool = False
    header: bool = False
    middles: tuple[float, ...] = ()  # of a table's columns
    level: int = 0  # of a heading


def union(boxes: Sequence[Box]) -> Box:
    return (
        min(b[0] for b in boxes),
        min(b[1] for b in boxes),
        max(b[2] for b in boxes),
        max(b[3] for b in boxes),
    )
