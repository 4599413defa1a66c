"""A document's text as people read it: in parts, with page marks, headings and tables, the passage marked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from library.models import DocumentText

PART = 50_000  # characters; a part ends with a line
LONGEST_LINE = 5_000  # beyond a part's length; a longer line is cut
BLOCK = re.compile(r"[^\n]+(?:\n[^\n]+)*")
LINE = re.compile(r"[^\n]+")
CELL_BORDER = " | "
LOWEST_HEADING = 4

Span: TypeAlias = tuple[int, int]
Matches: TypeAlias = Callable[[str], Sequence[Span]]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is marked throughout, or not at all."""

    text: str
    passage: bool
    match: bool


@dataclass(frozen=True, slots=True)
class Row:
    header: bool
    cells: Sequence[Sequence[Piece]]


@dataclass(frozen=True, slots=True)
class Block:
    """A page mark, a heading (with a level), a table (with rows) or a paragraph."""

    page: int = 0
    level: int = 0
    rows: Sequence[Row] = ()
    pieces: Sequence[Piece] = ()
    first: bool = False  # of the passage: where the browser scrolls to

    @property
    def tag(self) -> str:
        return f"h{self.level}" if self.level else "p"

    @property
    def is_passage(self) -> bool:
        return bool(self.pieces) and all(piece.passage for piece in self.pieces)


def part_starts(text: str) -> list[int]:
    """Where each part starts; there is always one."""
    starts = [0]
    while len(text) - starts[-1] > PART + LONGEST_LINE:
        at = text.find("\n", starts[-1] + PART, starts[-1] + PART + LONGEST_LINE)
        starts.append(at + 1 if at >= 0 else starts[-1] + PART + LONGEST_LINE)
    return starts


def part_of(starts: Sequence[int], offset: int) -> int:
    """The number, from 0, of the part that holds the offset."""
    return max(0, bisect_right(starts, offset) - 1)


def blocks(parsed: DocumentText, part: Span, *, passage: Span = (0, 0), matches: Matches) -> Iterator[Block]:
    """The blocks of one part of the text; `matches` gives the spans of a line that the query matches."""
    text = parsed.text
    pages = {start: number for number, start, _ in parsed.pages}
    waiting = sorted(start for start in pages if part[0] <= start < part[1])
    levels = {start: level for level, _, start in parsed.headings}
    tables = [table for table in parsed.tables if table[0] < part[1] and part[0] < table[2]]
    reached = False
    for found in BLOCK.finditer(text, *part):
        span = found.span()
        while waiting and waiting[0] <= span[0]:
            yield Block(page=pages[waiting.pop(0)])
        first = not reached and _overlap(passage, span)
        reached = reached or first
        table = next((t for t in tables if t[0] <= span[0] < t[2]), None)
        if table is not None:
            yield Block(rows=list(_rows(text, span, table[1], passage, matches)), first=first)
            continue
        pieces = _pieces(found.group(), _within(passage, span), matches(found.group()))
        level = min(levels[span[0]] + 1, LOWEST_HEADING) if span[0] in levels else 0
        yield Block(level=level, pieces=pieces, first=first)


def _rows(text: str, block: Span, header_end: int, passage: Span, matches: Matches) -> Iterator[Row]:
    for line in LINE.finditer(text, *block):
        cells, at = [], line.start()
        for cell in line.group().split(CELL_BORDER):
            cells.append(_pieces(cell, _within(passage, (at, at + len(cell))), matches(cell)))
            at += len(cell) + len(CELL_BORDER)
        yield Row(line.start() < header_end, cells)


def _pieces(text: str, passage: Span, matches: Sequence[Span]) -> list[Piece]:
    cuts = sorted({0, len(text), *passage, *(at for match in matches for at in match)})
    return [
        Piece(
            text[start:end],
            passage=passage[0] <= start < passage[1],
            match=any(a <= start < b for a, b in matches),
        )
        for start, end in zip(cuts, cuts[1:], strict=False)
    ]


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def _within(span: Span, place: Span) -> Span:
    """What of the span lies in the place, counted from its start."""
    if not _overlap(span, place):
        return (0, 0)
    return max(span[0], place[0]) - place[0], min(span[1], place[1]) - place[0]
