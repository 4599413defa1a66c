"""Excel workbooks (XLSX, XLSM, XLTX): values as their cells show them, streamed from the XML.

Own code, because no library that is kept up gives both what a cell shows and comments, text boxes and charts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.cell_formats import BUILT_IN, shown, shown_text
from ingestion.parsing.readers.grid import Merge, Row, add_sheet
from ingestion.parsing.readers.packages import Package, core_properties, relations
from ingestion.parsing.readers.xlsx_layers import layers, persons
from ingestion.parsing.readers.xml import local
from ingestion.parsing.readers.xml_stream import stream_xml
from ingestion.parsing.types import ParseError

MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]{0,100}?ref="([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})"')
LONGEST_MERGED = 200  # bytes of such an element
MOST_MERGED = 100_000
CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
LONGEST_TEXT = 32_767  # characters that Excel allows in a cell
PHONETIC = "rPh"  # how a text is spoken, which its cell does not show
PLAIN = re.compile(r"-?\d{1,15}")


def read(path: Path, builder: TextBuilder) -> None:
    with Package(path, builder.limits) as package:
        package.check()
        builder.title, builder.date = core_properties(package)
        main = next((part for kind, part in relations(package, "").values() if kind == "officeDocument"), "")
        book = package.xml(main)
        if book is None:
            raise ParseError("corrupt")
        parts = relations(package, main)
        kinds = dict(parts.values())
        strings = _strings(package, kinds.get("sharedStrings", ""))
        codes = _codes(package, kinds.get("styles", ""))
        from_1904 = any(e.get("date1904") in {"1", "true"} for e in book.iter() if local(e) == "workbookPr")
        authors = persons(package, kinds.get("person", ""))
        sheets = [element for element in book.iter() if local(element) == "sheet"]
        for number, sheet in enumerate(sheets, 1):
            link = next((value for key, value in sheet.attrib.items() if key.endswith("}id")), "")
            part = parts.get(link, ("", ""))[1]
            cells = _Cells(strings, codes, from_1904=from_1904)
            add_sheet(
                builder,
                number,
                sheet.get("name", ""),
                cells.rows(package, part),
                _merges(package, part),
                layers(package, part, authors),
                is_hidden=sheet.get("state", "visible") != "visible",
            )


def _strings(package: Package, part: str) -> list[str]:
    handler = _Strings()
    for _ in stream_xml(package.blocks(part), handler) if part in package.names else ():
        if handler.length > package.limits.characters:
            raise ParseError("too_complex")
    return handler.strings


def _codes(package: Package, part: str) -> list[str]:
    """The number format of each cell style."""
    styles = package.xml(part) if part else None
    if styles is None:
        return []
    named = {
        element.get("numFmtId", ""): element.get("formatCode", "")
        for element in styles.iter()
        if local(element) == "numFmt"
    }
    codes: list[str] = []
    for styled in styles:
        if local(styled) == "cellXfs":
            numbers = [form.get("numFmtId", "0") for form in styled]
            codes = [named.get(n) or BUILT_IN.get(int(n) if n.isdecimal() else 0, "General") for n in numbers]
    return codes


def _merges(package: Package, part: str) -> list[Merge]:
    """The merged cells, which the XML names only behind the rows."""
    found: list[Merge] = []
    rest = b""
    for block in package.blocks(part):
        data = rest + block
        end = 0
        for match in MERGED.finditer(data):
            left, top, right, bottom = (group.decode() for group in match.groups())
            found.append(Merge(int(top) - 1, _column(left), int(bottom) - 1, _column(right)))
            end = match.end()
        if len(found) > MOST_MERGED:
            raise ParseError("too_complex")
        rest = data[max(end, len(data) - LONGEST_MERGED) :]
    return found


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _unescaped(text: str) -> str:
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


class _Strings:
    """The texts that cells share."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self.length = 0
        self._parts: list[str] = []
        self._is_text = False
        self._phonetic = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "si":
            self._parts = []
        elif name == PHONETIC:
            self._phonetic += 1
        self._is_text = name == "t" and not self._phonetic

    def end(self, name: str) -> None:
        self._is_text = False
        if name == PHONETIC:
            self._phonetic -= 1
        elif name == "si":
            self.strings.append(_unescaped("".join(self._parts))[:LONGEST_TEXT])
            self.length += len(self.strings[-1])

    def text(self, text: str) -> None:
        if self._is_text:
            self._parts.append(text)


class _Cells:
    """The filled cells of a sheet, row by row."""

    def __init__(self, strings: list[str], codes: list[str], *, from_1904: bool) -> None:
        self._strings, self._codes, self._from_1904 = strings, codes, from_1904
        self._done: list[Row] = []
        self._row, self._column = -1, -1
        self._cells: dict[int, str] = {}
        self._kind, self._style = "", 0
        self._parts: list[str] = []
        self._is_value = False
        self._phonetic = 0

    def rows(self, package: Package, part: str) -> Iterator[Row]:
        for _ in stream_xml(package.blocks(part), self) if part in package.names else ():
            done, self._done = self._done, []
            yield from done

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c":
            place = CELL.fullmatch(attributes.get("r", ""))
            self._column = _column(place[1]) if place else self._column + 1
            self._kind = attributes.get("t", "n")
            style = attributes.get("s", "0")
            self._style = int(style) if style.isdecimal() else 0
            self._parts = []
        elif name == "row":
            number = attributes.get("r", "")
            self._row = max(int(number) - 1 if number.isdecimal() else 0, self._row + 1)
            self._column = -1
            self._cells = {}
        elif name == PHONETIC:
            self._phonetic += 1
        self._is_value = name in {"v", "t"} and not self._phonetic

    def end(self, name: str) -> None:
        self._is_value = False
        if name == "c":
            if self._parts and (text := self._shown("".join(self._parts)).strip()):
                self._cells[self._column] = text
        elif name == "row":
            if self._cells:
                self._done.append((self._row, self._cells))
        elif name == PHONETIC:
            self._phonetic -= 1

    def text(self, text: str) -> None:
        if self._is_value:
            self._parts.append(text)

    def _shown(self, value: str) -> str:
        code = self._codes[self._style] if self._style < len(self._codes) else "General"
        if self._kind == "s":
            place = int(value)
            value = self._strings[place] if 0 <= place < len(self._strings) else ""
            return shown_text(value, code)
        if self._kind == "b":
            return "TRUE" if value.strip() in {"1", "true"} else "FALSE"
        if self._kind != "n":
            return shown_text(_unescaped(value), code)
        if code == "General" and PLAIN.fullmatch(value):
            return value
        try:
            return shown(float(value), code, from_1904=self._from_1904)
        except ValueError:  # no number, whatever the cell says
            return value
