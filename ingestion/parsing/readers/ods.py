"""OpenDocument spreadsheets, streamed: LibreOffice stores each value as its cell shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.grid import Merge, Row, add_sheet, comment_on
from ingestion.parsing.readers.packages import Package
from ingestion.parsing.readers.xml import local
from ingestion.parsing.readers.xml_stream import stream_xml
from ingestion.parsing.types import ParseError

SPACES = {"s": " ", "tab": "\t", "line-break": "\n"}
OVER_CELLS = {"annotation", "text-box", "custom-shape"}
# Texts that stand beside the cells, or no longer in them.
SILENT = {"tracked-changes", "content-validations", "desc", "title"}
CELLS = {"table-cell", "covered-table-cell"}
MOST_COPIES = 1000  # of a filled cell or row; what repeats more often is a format, not data
OBJECT = re.compile(r"(?:\./)?(Object \d+)")


def read(path: Path, builder: TextBuilder) -> None:
    with Package(path, builder.limits) as package:
        package.check()
        meta = package.xml("meta.xml")
        facts = {local(fact): fact.text or "" for fact in (meta.iter() if meta is not None else ())}
        builder.title = facts.get("title", "")
        builder.date = facts.get("date", "") or facts.get("creation-date", "")
        if "content.xml" not in package.names:
            raise ParseError("corrupt")
        handler = _Sheets(builder.limits.table_rows)
        for _ in stream_xml(package.blocks("content.xml"), handler):
            _add(handler, package, builder)


def _add(handler: _Sheets, package: Package, builder: TextBuilder) -> None:
    for number, sheet in handler.take():
        charts = [_chart(package.xml(f"{name}/content.xml")) for name in sheet.objects]
        layers = [*sheet.layers, *charts]
        rows = iter(sheet.rows)
        add_sheet(builder, number, sheet.name, rows, sheet.merges, layers, is_hidden=sheet.is_hidden)


def _chart(root: Element | None) -> str:
    """Titles of a chart and its axes; nothing of other objects."""
    names = [
        "".join(element.itertext()).strip()
        for element in (root.iter() if root is not None else ())
        if local(element) in {"title", "subtitle"}
    ]
    return "Chart: " + "\n".join(dict.fromkeys(names)) if any(names) else ""


@dataclass
class _Sheet:
    name: str
    is_hidden: bool
    rows: list[Row] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)


class _Sheets:
    """Collects the sheets of a document one after another."""

    def __init__(self, most_rows: int) -> None:
        self._most_rows = most_rows
        self._done: list[tuple[int, _Sheet]] = []
        self._count = 0
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._sheet: _Sheet | None = None
        self._row, self._column = 0, 0
        self._cells: dict[int, str] = {}
        self._row_copies = self._copies = 1
        self._attributes: dict[str, str] = {}
        self._silent = 0
        self._lines: list[list[str]] = []  # texts of the cell, or of the note or shape in or over it
        self._outer: list[list[list[str]]] = []  # the lines of what the current note or shape stands in
        self._author = ""
        self._is_author = False

    def take(self) -> Iterator[tuple[int, _Sheet]]:
        done, self._done = self._done, []
        yield from done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._is_author = name == "creator"
        if self._silent or name in SILENT:
            self._silent += 1
        elif name in {"p", "h"}:
            self._lines.append([])
        elif name in OVER_CELLS:
            self._outer.append(self._lines)
            self._lines, self._author = [], ""
        elif name in SPACES:
            self.text(SPACES[name] * min(_number(_local(attributes), "c"), MOST_COPIES))
        else:
            self._start_table(name, _local(attributes))

    def _start_table(self, name: str, attributes: dict[str, str]) -> None:
        if name == "style":
            self._style = attributes.get("name", "")
        elif name == "table-properties" and attributes.get("display") == "false":
            self._hidden_styles.add(self._style)
        elif name == "table" and self._sheet is None:
            hidden = attributes.get("style-name", "") in self._hidden_styles
            self._sheet = _Sheet(attributes.get("name", ""), hidden)
            self._row = 0
        elif name == "table-row":
            self._cells, self._column = {}, 0
            self._row_copies = _number(attributes, "number-rows-repeated")
        elif name in CELLS:
            self._attributes, self._lines = attributes, []
            self._copies = _number(attributes, "number-columns-repeated")
        elif name == "object" and self._sheet and (found := OBJECT.fullmatch(attributes.get("href", ""))):
            self._sheet.objects.append(found[1])

    def end(self, name: str) -> None:
        self._is_author = False
        if self._silent:
            self._silent -= 1
        elif name == "table" and self._sheet:
            self._count += 1
            self._done.append((self._count, self._sheet))
            self._sheet = None
        elif name == "table-row" and self._sheet:
            self._end_row(self._sheet)
        elif name in CELLS and self._sheet:
            self._end_cell(self._sheet)
        elif name in OVER_CELLS and self._outer:
            text, self._lines = self._text(), self._outer.pop()
            if self._sheet and text:
                place = f"{_letters(self._column)}{self._row + 1}"
                note = comment_on(place, self._author, text) if name == "annotation" else text
                self._sheet.layers.append(note)

    def text(self, text: str) -> None:
        if self._silent:
            return
        if self._is_author:
            self._author += text
        elif self._lines:
            self._lines[-1].append(text)

    def _text(self) -> str:
        return "\n".join("".join(line) for line in self._lines).strip()

    def _end_row(self, sheet: _Sheet) -> None:
        if self._cells:
            copies = self._row_copies if self._row_copies <= MOST_COPIES else 1
            sheet.rows += [(self._row + copy, dict(self._cells)) for copy in range(copies)]
            if len(sheet.rows) > self._most_rows:
                raise ParseError("too_complex")
        self._row += self._row_copies

    def _end_cell(self, sheet: _Sheet) -> None:
        text = self._text() or _value(self._attributes)
        down = _number(self._attributes, "number-rows-spanned")
        across = _number(self._attributes, "number-columns-spanned")
        if text and down * across > 1:
            right = self._column + across - 1
            sheet.merges.append(Merge(self._row, self._column, self._row + down - 1, right))
        if text:
            for copy in range(self._copies if self._copies <= MOST_COPIES else 1):
                self._cells[self._column + copy] = text
        self._column += self._copies
        self._lines = []


def _local(attributes: dict[str, str]) -> dict[str, str]:
    return {key.rpartition(":")[2]: value for key, value in attributes.items()}


def _number(attributes: dict[str, str], name: str) -> int:
    value = attributes.get(name, "1")
    return max(int(value), 1) if value.isdecimal() and len(value) < 10 else 1


def _value(attributes: dict[str, str]) -> str:
    """What programs that store no shown text leave of a cell."""
    names = ("string-value", "date-value", "time-value", "boolean-value", "value")
    return next((attributes[name] for name in names if name in attributes), "")


def _letters(column: int) -> str:
    name = ""
    while column >= 0:
        column, rest = divmod(column, 26)
        name = chr(65 + rest) + name
        column -= 1
    return name
