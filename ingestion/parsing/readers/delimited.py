"""CSV in all its dialects: delimiters by trial, `sep=` lines, quotes that never close."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import decode
from ingestion.parsing.readers.grid import Row, add_grid
from ingestion.parsing.readers.headers import NUMBER

DELIMITERS = ",;\t|"
SEPARATOR = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)  # what Excel writes for itself
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|$)")
DOUBLED = re.compile(r'(?<!\\)""(?![,;\t|\r\n]|$)')  # a quote within quotes, as RFC 4180 has it
SAMPLE = 20_000  # characters
MOST_SAMPLED = 100  # lines
LEAST_REGULAR = 0.4  # below this share of rows with as many cells, no delimiter explains a text
LONGEST_FIELD, MOST_LINES = 1 << 20, 500  # past these, a quote was never closed


def read(path: Path, builder: TextBuilder) -> None:
    text = decode(path.read_bytes())
    named = SEPARATOR.match(text)
    start = named.end() if named else 0
    sample = text[start : start + SAMPLE]
    escape = "\\" if '\\"' in sample and not DOUBLED.search(sample) else None
    delimiter = named[1] if named else best_delimiter(sample)
    csv.field_size_limit(LONGEST_FIELD)
    add_grid(_Rows(text, start, delimiter, escape), [], builder)


def best_delimiter(sample: str) -> str:
    """The delimiter that gives the most regular rows, or one that the sample does not hold."""
    lines = [match[0] for match in LINE.finditer(sample) if match[0].strip()][:MOST_SAMPLED]
    lines = lines[:-1] if len(lines) > 1 and len(sample) == SAMPLE else lines
    regularity, best = max((_regularity(lines, delimiter), delimiter) for delimiter in DELIMITERS)
    return best if regularity >= LEAST_REGULAR else "\x1f"


def _regularity(lines: list[str], delimiter: str) -> float:
    """Share of the rows that have the usual number of cells, less the cells that hold another delimiter."""
    try:
        rows = [row for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True) if row]
    except csv.Error:
        return 0.0
    widths = [len(row) for row in rows if len(row) > 1]
    if not widths:
        return 0.0
    usual = max(set(widths), key=lambda width: (widths.count(width), width))
    others = re.compile(rf"[{re.escape(DELIMITERS.replace(delimiter, ''))}](?! )")
    cells = [cell.strip() for row in rows for cell in row]
    odd = sum(bool(others.search(cell)) and not NUMBER.fullmatch(cell[:40]) for cell in cells)
    return widths.count(usual) / len(rows) * (1 - odd / len(cells)) + usual / 10_000


class _Rows:
    """The rows that hold something. After a quote that is never closed, quotes are characters like others."""

    def __init__(self, text: str, start: int, delimiter: str, escape: str | None) -> None:
        self._text, self._place = text, start
        self._delimiter, self._escape = delimiter, escape
        self._number = 0

    def __iter__(self) -> Iterator[Row]:
        start = self._place
        try:
            for row in self._read(csv.QUOTE_MINIMAL):
                yield from self._filled(row)
                start = self._place
        except csv.Error:
            self._place = start
            for row in self._read(csv.QUOTE_NONE):
                yield from self._filled(row)

    def _read(self, quoting: Literal[0, 3]) -> Iterator[list[str]]:
        reader = csv.reader(
            self._lines(),
            delimiter=self._delimiter,
            escapechar=self._escape,
            quoting=quoting,
            skipinitialspace=True,
        )
        before = 0
        for row in reader:
            if quoting != csv.QUOTE_NONE and reader.line_num - before > MOST_LINES:
                raise csv.Error("a quote that is never closed")
            before = reader.line_num
            yield row

    def _lines(self) -> Iterator[str]:
        while self._place < len(self._text):
            match = LINE.match(self._text, self._place)
            assert match
            self._place = match.end()
            yield match[0].replace("\0", "")

    def _filled(self, row: list[str]) -> Iterator[Row]:
        cells = {column: text for column, cell in enumerate(row) if (text := cell.strip())}
        if cells:
            yield self._number, cells
        self._number += 1
