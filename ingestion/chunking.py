"""Parsed documents to passages of about 180 words, along pages, headings, paragraphs and table rows."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import ceil

from semantic_text_splitter import TextSplitter

from ingestion.parsing.types import Heading, ParsedDocument, Table

# A word is up to 20 characters of a script with spaces, or two of one without.
CJK = r"\u1100-\u11ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
WORD = re.compile(rf"[{CJK}]{{1,2}}|[^\s{CJK}]{{1,20}}")
LONGEST_WORD = 21  # with its space
OVERLAP = 0.15  # of a chunk
SHORT = 1 / 3  # of a chunk: shorter sections join their neighbours
SLACK = 1.2  # what is longer than a chunk by less stays whole
# The splitter's time grows with the square of an unbroken line, so it sees this many chunks' worth at once.
WINDOW = 6


@dataclass(frozen=True, slots=True)
class ChunkSpan:
    """A passage. `text` is document.text[start:end]; where a table goes on, its header stands before it."""

    number: int
    text: str
    start: int
    end: int
    page: int | None  # where it starts
    heading: str  # "Chapter > Section", of all that is in it


def chunk(document: ParsedDocument, *, words: int = 180) -> list[ChunkSpan]:
    """Split a document into passages in the order of its text; every visible character is in one of them.

    No passage crosses a page, slide or sheet. Sections longer than `words` are split at paragraphs or
    sentences with a small overlap; short ones join the next. Long tables are split between rows.
    """
    outline = _Outline(document)
    pieces = chain.from_iterable(_split(document, group, words) for group in _groups(document, words))
    return [
        ChunkSpan(number, text, start, end, outline.page(start), outline.path(start, end))
        for number, (text, start, end) in enumerate(pieces)
    ]


def count_words(text: str) -> int:
    """Words of scripts with spaces; Hangul, kana and Han count two characters a word."""
    return sum(1 for _ in WORD.finditer(text))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A stretch of text between two headings, page ends or long tables."""

    start: int
    end: int
    words: int
    table: Table | None = None


def _groups(document: ParsedDocument, words: int) -> Iterator[_Piece]:
    """The stretches between hard and soft borders, short neighbours joined within a page."""
    hard = {page.start for page in document.pages}
    current: _Piece | None = None
    for piece in _pieces(document, words):
        if current and piece.start not in hard and _joins(current, piece, words):
            current = _Piece(current.start, piece.end, current.words + piece.words, piece.table)
            continue
        if current:
            yield current
        current = piece
    if current:
        yield current


def _joins(first: _Piece, second: _Piece, words: int) -> bool:
    if first.table or (second.table and first.words >= SHORT / 3 * words):
        return False
    short = min(first.words, second.words) < SHORT * words
    # A heading, or little more than one, goes with what follows it however long that is.
    return (short and first.words + second.words <= words) or first.words < SHORT / 3 * words


def _pieces(document: ParsedDocument, words: int) -> Iterator[_Piece]:
    text = document.text
    long_tables = {t.start: t for t in document.tables if count_words(text[t.start : t.end]) > words}
    ends = (t.end for t in long_tables.values())
    starts = (h.start for h in document.headings)
    borders = sorted({0, *(page.start for page in document.pages), *starts, *long_tables, *ends, len(text)})
    for start, end in zip(borders, borders[1:], strict=False):
        size = count_words(text[start:end])
        if size:
            yield _Piece(start, end, size, long_tables.get(start))


def _split(document: ParsedDocument, piece: _Piece, words: int) -> Iterator[tuple[str, int, int]]:
    """(text, start, end) of each passage of a piece."""
    if piece.table:
        yield from _split_table(document.text, piece, piece.table, words)
    elif piece.words <= SLACK * words:
        yield _trimmed(document.text, piece.start, piece.end)
    else:
        yield from _split_prose(document.text, piece, words)


def _split_prose(text: str, piece: _Piece, words: int) -> Iterator[tuple[str, int, int]]:
    """The splitter's chunks, the short ones joined to the next: it never cuts a paragraph to fill a chunk."""
    per_word = min((piece.end - piece.start) / piece.words, LONGEST_WORD)
    most = int(words * per_word)
    # Equal parts, each with its overlap, so that no small rest is left at the end.
    parts = ceil((piece.words / words - OVERLAP) / (1 - OVERLAP))
    least = min(int(piece.words / (parts - (parts - 1) * OVERLAP) * per_word), most)
    begin: int | None = None
    for start, end in _splits(text, piece, least, most):
        begin = start if begin is None else begin
        if end - begin >= SHORT * least or end == piece.end:
            yield text[begin:end], begin, end
            begin = None
    if begin is not None:
        yield _trimmed(text, begin, piece.end)


def _splits(text: str, piece: _Piece, least: int, most: int) -> Iterator[tuple[int, int]]:
    """(start, end) of the splitter's chunks; the last of each window begins the next window."""
    splitter = TextSplitter((least, most), overlap=int(OVERLAP * least))
    start = piece.start
    while start < piece.end:
        stop = min(start + WINDOW * most, piece.end)
        found = splitter.chunk_indices(text[start:stop])
        whole = found if stop == piece.end or len(found) <= 1 else found[:-1]
        for offset, part in whole:
            yield start + offset, start + offset + len(part)
        start = stop if len(whole) == len(found) else start + found[-1][0]


def _split_table(text: str, piece: _Piece, table: Table, words: int) -> Iterator[tuple[str, int, int]]:
    """Groups of rows, each after the header; a row longer than a chunk is split like prose.

    The words before the table that joined it go with its first rows.
    """
    header = text[table.start : table.header_end]
    if count_words(header) > 2 * SHORT * words:  # the rows would hardly have room
        header = ""
    room = words - count_words(header)
    for start, end, size in _row_groups(text, piece, table, room):
        if size <= SLACK * room:
            parts: Iterable[tuple[str, int, int]] = [_trimmed(text, start, end)]
        else:
            parts = _split_prose(text, _Piece(start, end, size), room)
        for part, first, last in parts:
            repeated = header and first > table.start
            yield (f"{header}\n{part}" if repeated else part), first, last


def _row_groups(text: str, piece: _Piece, table: Table, room: int) -> Iterator[tuple[int, int, int]]:
    start, size = piece.start, 0
    row_start = table.start
    while row_start < table.end:
        row_end = text.find("\n", row_start, table.end)
        row_end = table.end if row_end < 0 else row_end
        row_size = count_words(text[row_start:row_end])
        if size and size + row_size > room and row_start > table.header_end + 1:
            yield start, row_start, size
            start, size = row_start, 0
        size += row_size
        row_start = row_end + 1
    if size:
        yield start, table.end, size


def _trimmed(text: str, start: int, end: int) -> tuple[str, int, int]:
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    part = part.strip()
    return part, start, start + len(part)


class _Outline:
    """Which page and which headings an offset stands under."""

    def __init__(self, document: ParsedDocument) -> None:
        self._document = document
        self._page_starts = [page.start for page in document.pages]
        self._heading_starts = [heading.start for heading in document.headings]

    def page(self, offset: int) -> int | None:
        place = bisect_right(self._page_starts, offset)
        return self._document.pages[place - 1].number if place else None

    def path(self, start: int, end: int) -> str:
        """The headings that all sections with text of their own between the offsets have in common."""
        first = max(bisect_right(self._heading_starts, start) - 1, 0)
        last = bisect_right(self._heading_starts, end - 1)
        paths = [self._paths[i] for i in range(first, last) if self._has_body(i, start, end)]
        if self._heading_starts and start < self._heading_starts[0] and first == 0:
            return ""
        if not paths:
            paths = [self._paths[first]] if last else [()]
        common = paths[0]
        for path in paths[1:]:
            same = sum(1 for _ in _while_equal(common, path))
            common = common[:same]
        return " > ".join(text for text in common if text)

    def _has_body(self, number: int, start: int, end: int) -> bool:
        heading = self._document.headings[number]
        line_end = self._document.text.find("\n", heading.start)
        body = len(self._document.text) if line_end < 0 else line_end
        stops = self._heading_starts[number + 1 : number + 2]
        stop = min([end, *stops])
        return bool(self._document.text[max(body, start) : stop].strip())

    @cached_property
    def _paths(self) -> list[tuple[str, ...]]:
        return list(_paths(self._document.headings))


def _paths(headings: Sequence[Heading]) -> Iterator[tuple[str, ...]]:
    """For each heading, the texts from the outermost heading above it down to itself."""
    above: list[Heading] = []
    for heading in headings:
        while above and above[-1].level >= heading.level:
            above.pop()
        above.append(heading)
        yield tuple(h.text for h in above)


def _while_equal(first: Sequence[str], second: Sequence[str]) -> Iterator[str]:
    for one, other in zip(first, second, strict=False):
        if one != other:
            return
        yield one
