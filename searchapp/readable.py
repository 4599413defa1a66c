"""A passage as the pieces of a snippet: sentences, list items, and table rows with their header."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import zip_longest

from library.models import Chunk

CELL_BORDER = " | "
BLANK_LINE = re.compile(r"\n\s*\n")
BULLET = re.compile(r"\s*[•·▪◦‣●○■□*+–—-]\s+")
# "3.", "(2)", "4.1 Title": the number of an item or of a heading.
NUMBER = re.compile(r"\s*(?:\(?\d{1,3}(?:\.\d+)*[.)]\s+|\d+(?:\.\d+)+\s+(?=[A-Z][a-z]{2}))")
QUOTED = re.compile(r"^(?:>+[ \t]*)+", re.M)  # of a mail that is answered
PAGE_NUMBER = re.compile(r"\s*(?:page|seite|p\.)?\s*[-–]?\s*\d+\s*(?:(?:of|/|von)\s*\d+)?\s*[-–]?\s*", re.I)
SEPARATORS = re.compile(r"(?:\s*[|·•ㆍ▪]\s*)+")
SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*\s+(?=[^\sa-zà-ÿ])|[。！？]+[」』”’)]*\s*")
CLOSED = re.compile(r"[.!?…。！？:;][\"'”’)\]」』]*$")
ABBREVIATIONS = frozenset(
    ("dr", "mr", "mrs", "ms", "prof", "st", "no", "nr", "vs", "e.g", "i.e", "approx", "ca", "art", "fig")
    + ("bzw", "z.b", "vgl")
)
WRAPPED = 50  # characters; a line as long as this may go on in the next one
HEADING = 100  # characters; a longer line is no heading


class Kind(Enum):
    SENTENCE = auto()
    HEADING = auto()  # or another short line by itself, such as a page's foot
    ITEM = auto()
    ROW = auto()


@dataclass(frozen=True, slots=True)
class Piece:
    """Clean text on one line, without bullets, cell borders and page numbers."""

    text: str
    kind: Kind

    @property
    def closed(self) -> bool:
        """Whether it ends in a mark, after which the next one may simply follow."""
        return CLOSED.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class _Table:
    """Where rows stand in a passage, and whether the first of them is a header."""

    start: int
    end: int
    headed: bool


def pieces(chunk: Chunk) -> list[Piece]:
    """Return the pieces of a passage in order; none is empty."""
    found: list[Piece] = []
    at = 0
    for table in _tables(chunk):
        found += _prose(chunk.text[at : table.start])
        found += _rows(chunk.text[table.start : table.end], table.headed)
        at = table.end
    return [piece for piece in (*found, *_prose(chunk.text[at:])) if piece.text]


def clean(text: str) -> str:
    return SEPARATORS.sub(", ", " ".join(text.split())).strip(" ,")


def _tables(chunk: Chunk) -> Iterator[_Table]:
    parsed = getattr(chunk.document, "parsed", None)
    header = len(chunk.text) - (chunk.end - chunk.start)  # stands before the rows of a table that goes on
    for start, header_end, end in parsed.tables if parsed else ():
        if start < chunk.end and chunk.start < end:
            goes_on = start < chunk.start
            yield _Table(
                max(0, start - chunk.start),
                min(end, chunk.end) - chunk.start + header,
                header > 0 if goes_on else header_end > start,
            )


def _rows(text: str, headed: bool) -> Iterator[Piece]:
    rows = [[clean(cell) for cell in line.split(CELL_BORDER)] for line in text.split("\n")]
    names = rows[0] if headed and len(rows) > 1 else []
    part_of_row = len(rows) == 2 and len(rows[1]) < len(names)  # which part is not known
    for row in rows[1:] if names else rows:
        cells = (
            _named(name, cell) for name, cell in zip_longest([] if part_of_row else names, row, fillvalue="")
        )
        yield Piece("; ".join(filter(None, cells)), Kind.ROW)


def _named(name: str, cell: str) -> str:
    return f"{name.rstrip(':')}: {cell}" if name and cell and name != cell else cell


def _prose(text: str) -> Iterator[Piece]:
    for paragraph in BLANK_LINE.split(text):
        blocks = list(_blocks(paragraph))
        for block in blocks:
            yield from _block(block, alone=len(blocks) == 1)


def _blocks(paragraph: str) -> Iterator[str]:
    """Yield the lines of a paragraph, those that were wrapped joined."""
    block = ""
    for line in QUOTED.sub("", paragraph).split("\n"):
        if PAGE_NUMBER.fullmatch(line):
            continue
        begins = BULLET.match(line) or NUMBER.match(line)
        if block and not begins and (len(block) >= WRAPPED or line.lstrip()[:1].islower()):
            block += " " + line
            continue
        if block:
            yield block
        block = line
    if block:
        yield block


def _block(text: str, *, alone: bool) -> Iterator[Piece]:
    mark = BULLET.match(text) or NUMBER.match(text)
    body = clean(text[mark.end() :] if mark else text)
    sentences = _sentences(body)
    kind = Kind.SENTENCE
    if len(sentences) == 1 and not CLOSED.search(body):
        kind = Kind.HEADING if alone and not BULLET.match(text) and len(body) <= HEADING else Kind.ITEM
    for sentence in sentences:
        yield Piece(sentence, kind)


def _sentences(text: str) -> list[str]:
    found, start = [], 0
    for end in SENTENCE_END.finditer(text):
        if not _abbreviates(text[start : end.start()]):
            found.append(text[start : end.end()].strip())
            start = end.end()
    return [sentence for sentence in (*found, text[start:].strip()) if sentence]


def _abbreviates(before: str) -> bool:
    """Whether the point after this text belongs to its last word: "e.g.", "J.", "3."."""
    words: Sequence[str] = before.split()
    last = words[-1].lower().lstrip("(\"'“") if words else ""
    return (
        last in ABBREVIATIONS
        or (len(last) == 1 and last.isalpha() and last.isascii())
        or (last.isdigit() and len(words) == 1)
    )
