"""A document's text as people read it: in parts, with page marks, headings and tables, the passage marked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

PART = 50_000  # characters; a part ends with a line
LONGEST_LINE = 5_000  # beyond a part's length; a longer line is cut
LINE = re.compile(r"[^\n]+")
CELLS = re.compile(r" ?\| ?")

Span: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that is marked throughout, or not at all."""

    text: str
    passage: bool
    match: bool


@dataclass(frozen=True, slots=True)
class Block:
    """One line of the text, or a page mark. `cells` holds a table row's pieces, one list a cell."""

    kind: Literal["page", "heading", "row", "text"]
    pieces: Sequence[Piece] = ()
    cells: Sequence[Sequence[Piece]] = ()
    page: int = 0
    first: bool = False  # of the passage: where the page scrolls to


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


def blocks(
    text: str,
    part: Span,
    *,
    pages: Sequence[tuple[int, int, int]] = (),
    headings: Collection[str] = (),
    passage: Span = (0, 0),
    matches: Callable[[str], Sequence[Span]] = lambda line: (),
) -> Iterator[Block]:
    """The part of the text, line by line.

    `pages` are (number, start, end); a line that equals one of `headings` is one; `matches` gives the spans
    of a line that the query matches. Offsets count characters of `text`.
    """
    marks = {start: number for number, start, _ in pages}
    waiting = sorted(start for start in marks if part[0] <= start < part[1])
    reached = False
    for line in LINE.finditer(text, *part):
        while waiting and waiting[0] <= line.start():
            yield Block("page", page=marks[waiting.pop(0)])
        content = line.group()
        inside = _shift(passage, -line.start(), len(content))
        first = not reached and inside[0] < inside[1]
        reached = reached or first
        spans = matches(content)
        if content.strip() in headings:
            yield Block("heading", _pieces(content, inside, spans), first=first)
        elif " | " in content:
            yield Block("row", cells=_cells(content, inside, spans), first=first)
        else:
            yield Block("text", _pieces(content, inside, spans), first=first)


def _cells(line: str, passage: Span, matches: Sequence[Span]) -> list[list[Piece]]:
    edges = [0, *(at for cut in CELLS.finditer(line) for at in cut.span()), len(line)]
    cells = zip(edges[::2], edges[1::2], strict=True)
    return [
        _pieces(
            line[start:end],
            _shift(passage, -start, end - start),
            [_shift(match, -start, end - start) for match in matches],
        )
        for start, end in cells
    ]


def _pieces(line: str, passage: Span, matches: Sequence[Span]) -> list[Piece]:
    cuts = sorted({0, len(line), *passage, *(at for match in matches for at in match)})
    return [
        Piece(
            line[start:end],
            passage=passage[0] <= start < passage[1],
            match=any(a <= start < b for a, b in matches),
        )
        for start, end in zip(cuts, cuts[1:], strict=False)
    ]


def _shift(span: Span, by: int, length: int) -> Span:
    """The span counted from elsewhere, cut to what lies in a text of `length`."""
    start, end = max(0, span[0] + by), min(length, span[1] + by)
    return (start, end) if start < end else (0, 0)
