"""RTF in one pass over its tokens: code pages, tables, headings, notes, and HTML that Outlook wraps in it.

Own code, because kreuzberg's time grows with the square of the groups, and no library reads tables and notes.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.rtf_codes import (
    CHARACTERS,
    CHARSETS,
    EDGES,
    HEADING,
    KNOWN,
    NOTES,
    SILENT,
    STARRED_WITH_TEXT,
    SYMBOLS,
    TOKEN,
    code_page,
)
from ingestion.parsing.readers.webpage import add_html
from ingestion.parsing.types import ParseError

DATE_PARTS = ("yr", "mo", "dy")
HEAD = 4000  # bytes in which a file says that it wraps HTML
MOST_GROUPS = 10_000  # open at once


def read(path: Path, builder: TextBuilder) -> None:
    add_rtf(path.read_bytes(), builder)


def add_rtf(data: bytes, builder: TextBuilder) -> None:
    """Add an RTF's text. Raises `ParseError`: `corrupt`, `too_complex`."""
    if not data.lstrip().startswith(b"{\\rt"):
        raise ParseError("corrupt")
    if b"\\fromhtml" in data[:HEAD]:
        wrapped = _Html(builder)
        wrapped.read(data)
        add_html("".join(wrapped.parts).encode("utf-8", "replace"), builder)
    else:
        reader = _Rtf(builder)
        reader.read(data)
        reader.finish()


@dataclass(slots=True)
class _Group:
    """What holds until the group ends."""

    page: str = ""  # the font's code page, '' for the document's
    skipped: int = 1  # characters that stand in for a \u
    is_silent: bool = False
    is_hidden: bool = False
    kind: str = ""  # of text that does not belong to the body: "footnote", "title", "fonttbl" ...
    begins: bool = False  # this group is where the kind began

    def inner(self) -> _Group:
        return _Group(self.page, self.skipped, self.is_silent, self.is_hidden, self.kind)


class _Rtf:
    """Reads tokens and gives paragraphs, rows and notes to the builder."""

    def __init__(self, builder: TextBuilder) -> None:
        self.builder = builder
        self.parts: list[str] = []
        self._page = "cp1252"
        self._fonts: dict[int, str] = {}
        self._font = 0
        self._group = _Group()
        self._groups: list[_Group] = []
        self._outer: list[list[str]] = []  # texts that a note or the like interrupts
        self._bytes = bytearray()
        self._to_skip = 0
        self._is_starred = False
        self._in_table = False
        self._level = 0
        self._style = 0
        self._styles: dict[int, int] = {}  # number of a style -> level of its headings
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._notes: list[str] = []
        self._edges: dict[str, None] = {}
        self._author = ""
        self._date: dict[str, int] = {}

    def read(self, data: bytes) -> None:
        place: int | None = 0
        while place is not None:
            place = self._read_from(data, place)

    def _read_from(self, data: bytes, place: int) -> int | None:
        """Where to go on behind binary data, None at the end."""
        for match in TOKEN.finditer(data, place):
            kind = match.lastgroup
            if kind == "brace":
                self._brace(match["brace"])
            elif kind == "text":
                self._add_bytes(match["text"])
            elif kind == "hex":
                self._add_bytes(bytes([int(match["hex"], 16)]))
            elif kind == "symbol":
                self._symbol(match["symbol"].decode("latin-1"))
            elif kind is not None:
                word, number = match["word"].decode(), match["number"]
                if word == "bin":
                    return match.end() + max(int(number or 0), 0)
                if word in KNOWN or self._is_starred:
                    self._word(word, int(number) if number else None)
        return None

    def finish(self) -> None:
        self._end_paragraph()
        self._end_table()
        for text in self._edges:
            self.builder.paragraph(text)

    def _add(self, text: str) -> None:
        self._flush()
        if not self._group.is_silent and not self._group.is_hidden:
            self.parts.append(text)

    def _add_bytes(self, data: bytes) -> None:
        if self._to_skip:
            skipped = min(self._to_skip, len(data))
            self._to_skip -= skipped
            data = data[skipped:]
        if not self._group.is_silent and not self._group.is_hidden:
            self._bytes += data

    def _flush(self) -> None:
        """Decode bytes only here, because a character of East Asia may come as two tokens."""
        if self._bytes:
            self.parts.append(self._bytes.decode(self._group.page or self._page, "replace"))
            self._bytes.clear()

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._to_skip = 0
        if brace == b"{":
            if len(self._groups) > MOST_GROUPS:
                raise ParseError("too_complex")
            self._groups.append(self._group)
            self._group = self._group.inner()
        elif self._groups:
            if self._group.begins:
                self._end_kind(self._group.kind)
            elif self._group.kind == "stylesheet":
                self._end_style()
            self._group = self._groups.pop()

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._is_starred = True
        elif symbol in "\r\n":
            self._word("par", None)
        elif symbol in SYMBOLS:
            self._add(SYMBOLS[symbol])

    def _word(self, word: str, number: int | None) -> None:
        starred, self._is_starred = self._is_starred, False
        if word == "u" and number is not None:
            self._flush()
            self._to_skip = 0
            self._add(chr(number % 0x10000))
            self._to_skip = self._group.skipped
        elif word in CHARACTERS:
            self._add(CHARACTERS[word])
        elif word == "ud":
            self._group.is_silent = False
        elif word in SILENT or (starred and word not in STARRED_WITH_TEXT):
            self._group.is_silent = True
        else:
            self._flush()
            self._setting(word, number)
            self._structure(word, number)

    def _setting(self, word: str, number: int | None) -> None:
        group = self._group
        if word in {"ansicpg", "mac", "uc", "f", "fcharset"}:
            self._encoding(word, number or 0)
        elif word in {"v", "deleted"}:
            group.is_hidden = number != 0
        elif word == "plain":
            group.is_hidden = False
        elif word == "pard":
            self._in_table, self._level, self._style = False, 0, 0
        elif word == "intbl":
            self._in_table = True
        elif word == "outlinelevel":
            self._level = (number if number is not None else -1) + 1
        elif word == "s":
            self._style = number or 0
        elif word in {"creatim", "revtim"}:
            self._date = {}
        elif word in DATE_PARTS and group.kind == "info":
            self._date.setdefault(word, number or 0)

    def _encoding(self, word: str, number: int) -> None:
        if word == "ansicpg" and number:
            self._page = code_page(number)
        elif word == "mac":
            self._page = "mac_roman"
        elif word == "uc":
            self._group.skipped = min(max(number, 0), 10)
        elif word == "f":
            self._font = number
            self._group.page = self._fonts.get(number, "")
        elif word == "fcharset" and self._group.kind == "fonttbl":
            self._fonts[self._font] = CHARSETS.get(number, "")

    def _structure(self, word: str, number: int | None) -> None:
        if (
            word in {"fonttbl", "stylesheet", "info", "title", "footnote", "annotation", "atnauthor"}
            or word in EDGES
        ):
            self._begin_kind(word)
        elif self._group.is_silent:
            return
        elif word in {"par", "sect", "page"}:
            if self._in_table or self._group.kind:
                self.parts.append("\n")
            else:
                self._end_paragraph()
        elif word in {"cell", "nestcell"}:
            self._cells.append(" ".join(self._take().split()))
        elif word in {"row", "nestrow"}:
            self._rows.append(self._cells)
            self._cells = []

    def _begin_kind(self, kind: str) -> None:
        if kind == "title" and self._group.kind != "info":
            return
        self._group.kind, self._group.begins = kind, True
        self._outer.append(self.parts)
        self.parts = []

    def _end_kind(self, kind: str) -> None:
        text = "".join(self.parts).strip()
        self.parts = self._outer.pop()
        if kind == "title":
            self.builder.title = text
        elif kind == "info":
            year, month, day = (self._date.get(part, 0) for part in DATE_PARTS)
            self.builder.date = f"{year:04d}-{month:02d}-{day:02d}"
        elif kind == "atnauthor":
            self._author = text
        elif kind in NOTES and text:
            by = f", {self._author}" if kind == "annotation" and self._author else ""
            self._notes.append(f"{NOTES[kind]}{by}: {text}")
        elif kind in EDGES and text:
            self._edges[text] = None

    def _end_style(self) -> None:
        name = "".join(self.parts).strip().rstrip(";")
        self.parts = []
        if self._level or (found := HEADING.search(name)):
            self._styles[self._style] = self._level or int(found[1])  # type: ignore[index]
        self._level = self._style = 0

    def _take(self) -> str:
        self._flush()
        text = "".join(self.parts)
        self.parts = []
        # \u names each half of a character outside the first plane.
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _end_paragraph(self) -> None:
        text = self._take().strip()
        level = self._level or self._styles.get(self._style, 0)
        if self._cells and text:  # a table whose last row was never ended
            self._rows.append(self._cells)
            self._cells = []
        if text:
            self._end_table()
            if 0 < level <= 6:
                self.builder.heading(level, text)
            else:
                self.builder.paragraph(text)
        if text or not self._rows:
            self._end_notes()

    def _end_table(self) -> None:
        rows = [*self._rows, *([self._cells] if self._cells else [])]
        self._rows, self._cells = [], []
        if rows:
            self.builder.table(rows)
            self._end_notes()

    def _end_notes(self) -> None:
        for note in self._notes:
            self.builder.paragraph(note)
        self._notes = []


class _Html(_Rtf):
    """The HTML that Outlook wraps in RTF: its tags in groups of their own, its text between them."""

    def __init__(self, builder: TextBuilder) -> None:
        super().__init__(builder)
        self._is_rtf = False  # what only programs that read no HTML should show

    def _flush(self) -> None:
        if self._bytes:
            text = self._bytes.decode(self._group.page or self._page, "replace")
            self._bytes.clear()
            self._put(text if self._group.kind == "htmltag" else html.escape(text, quote=False))

    def _add(self, text: str) -> None:
        self._flush()
        if not self._group.is_silent:
            self._put(text if self._group.kind == "htmltag" else html.escape(text, quote=False))

    def _put(self, text: str) -> None:
        if not self._is_rtf:
            self.parts.append(text)

    def _structure(self, word: str, number: int | None) -> None:
        if word == "htmltag":
            self._group.kind = "htmltag"
        elif word == "htmlrtf":
            self._is_rtf = number != 0
        elif word in {"fonttbl", "stylesheet", "info"}:
            self._group.kind = word
            self._group.is_silent = word != "fonttbl"
            self._begin_kind(word)
        elif word == "par":
            self._put("\n")
