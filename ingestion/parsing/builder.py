"""Puts a document's text together block by block, so that offsets are exact from the start."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from ingestion.parsing.boxes import LineBox, pack
from ingestion.parsing.types import Heading, Page, ParsedDocument, ParseError, ParseLimits, Table

LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
SPACES = re.compile(r"[\u00a0\u2002-\u200a\u202f]")
# Controls, surrogates, noncharacters, and invisible marks that would split words for the index.
UNWANTED = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]"
)
HYPHENS = {0x2010: "-", 0x2011: "-"}
TRAILING = re.compile(r"[ \t]+(?=\n)")
BLANK_LINES = re.compile(r"\n{3,}")
MOST_WARNINGS = 20  # of one document
LINES_AT_ONCE = 500  # of a table
MERGED = 20  # characters; shorter cells may well be equal


def clean(text: str) -> str:
    """Composed text (NFC) without controls, lone surrogates, invisible marks, trailing spaces, empty lines.

    All text of all formats comes through here. A hyphen at which lines may not break is a hyphen.
    """
    if text.isprintable() and unicodedata.is_normalized("NFC", text):  # most are: one line, nothing odd
        return text.translate(HYPHENS).strip()
    text = unicodedata.normalize("NFC", text).translate(HYPHENS)
    text = UNWANTED.sub("", LINE_ENDS.sub("\n", text))
    return BLANK_LINES.sub("\n\n", TRAILING.sub("", SPACES.sub(" ", text))).strip()


class TextBuilder:
    """Collects blocks. Raises `ParseError` `too_complex` as soon as the limits are passed."""

    def __init__(self, limits: ParseLimits, ocr: tuple[str, ...] = ()) -> None:
        self.limits = limits
        self.ocr = ocr  # languages that pages without text are read in, if any
        self.unread = 0  # pages without text
        self.title = ""
        self.date = ""
        self.length = 0
        self._parts: list[str] = []
        self._page_starts: list[tuple[int, int]] = []
        self._headings: list[Heading] = []
        self._tables: list[Table] = []
        self._rows = 0
        self._lines: list[LineBox] = []
        self._warnings: dict[str, None] = {}  # each once, in order

    def page(self, number: int) -> None:
        """What follows is on this page."""
        if number > self.limits.pages:
            raise ParseError("too_complex")
        self._page_starts.append((number, self.length + 2 if self._parts else 0))

    def slide(self, number: int) -> None:
        """A page of its own: the headings of earlier ones do not reach into it."""
        self.page(number)
        self._headings.append(Heading(1, "", self._page_starts[-1][1]))

    def heading(self, level: int, text: str) -> None:
        text = " ".join(clean(text).split())
        if text:
            start = self._append(text)
            self._headings.append(Heading(min(max(level, 1), 6), text[:300], start))

    def paragraph(self, text: str) -> None:
        text = clean(text)
        if text:
            self._append(text)

    def line(self, box: LineBox) -> None:
        """Where a line of what was added stands on its page."""
        self._lines.append(box)

    def table(self, rows: Iterable[Sequence[str]], *, header: bool = True) -> None:
        """Rows of cells; the first is the header unless told otherwise. Empty rows and columns go."""
        lines = filter(None, map(row_text, rows))
        first = next(lines, "")
        if first:
            start = self._append(first)
            self._tables.append(Table(start, self.length if header else start, self.length))
            self._add_lines(chain([first], lines), written=1)

    def more_rows(self, rows: Iterable[Sequence[str]]) -> None:
        """Rows that go on with the table that was added last, before anything else is."""
        self._add_lines(filter(None, map(row_text, rows)))

    def _add_lines(self, lines: Iterator[str], *, written: int = 0) -> None:
        while batch := list(islice(lines, LINES_AT_ONCE)):
            self._rows += len(batch)
            if self._rows > self.limits.table_rows:
                raise ParseError("too_complex")
            if rest := batch[written:]:
                self._extend("\n" + "\n".join(rest))
            written = 0
            self._tables[-1] = self._tables[-1]._replace(end=self.length)

    def include(self, other: TextBuilder, title: str) -> None:
        """Add another file's blocks below a heading of level 2; its pages are not pages of this one."""
        self.heading(2, title)
        start = self._append(other.text)
        for level, text, place in other._headings:
            self._headings.append(Heading(min(level + 2, 6), text, start + place))
        for table in other._tables:
            self._tables.append(Table(*(start + place for place in table)))
        for sentence in other._warnings:
            self.warn(f"{title}: {sentence}")

    def warn(self, sentence: str) -> None:
        """Tell people what was lost, left out or is hidden: "Sheet “Prices” is hidden."."""
        if len(self._warnings) < MOST_WARNINGS:
            self._warnings[" ".join(clean(sentence).split())] = None

    def _append(self, text: str) -> int:
        if self._parts:
            self._parts.append("\n\n")
            self.length += 2
        start = self.length
        self._extend(text)
        return start

    def _extend(self, text: str) -> None:
        self._parts.append(text)
        self.length += len(text)
        if self.length > self.limits.characters:
            raise ParseError("too_complex")

    @property
    def first_heading(self) -> str:
        """The first of the outermost level; names of sheets are not of it."""
        return next((heading.text for heading in self._headings if heading.text and heading.level == 1), "")

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def build(self) -> ParsedDocument:
        """The document so far, without title, language and date."""
        self._parts = [self.text]  # the pieces may go
        starts = [min(start, self.length) for _, start in self._page_starts]
        ends = [*starts, self.length][1:]
        pages = tuple(
            Page(number, start, max(start, end))
            for (number, _), start, end in zip(self._page_starts, starts, ends, strict=True)
        )
        return ParsedDocument(
            self.text,
            pages=pages,
            headings=tuple(self._headings),
            tables=tuple(
                table._replace(header_end=table.start) if table.header_end == table.end else table
                for table in self._tables
            ),
            lines=pack(self._lines),
            unread=self.unread,
            warnings=tuple(self._warnings),
        )


def row_text(cells: Sequence[str]) -> str:
    """A table's row as one line, empty where no cell has text."""
    texts = [" ".join(clean(cell).split()) for cell in cells]
    # A merged cell comes once for each column that it covers.
    texts = [t for t, before in zip(texts, ["", *texts], strict=False) if t != before or len(t) < MERGED]
    while texts and not texts[-1]:
        texts.pop()
    return " | ".join(texts).strip() if any(texts) else ""
