"""Old Excel workbooks (XLS), by xlrd: values as their cells show them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xlrd
from xlrd.biffh import XL_CELL_BOOLEAN, XL_CELL_DATE, XL_CELL_ERROR, XL_CELL_NUMBER, error_text_from_code

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.cell_formats import shown, shown_text
from ingestion.parsing.readers.grid import Merge, Row, add_sheet, comment_on
from ingestion.parsing.readers.ole import has_password, properties
from ingestion.parsing.readers.xls_layers import layers
from ingestion.parsing.types import ParseError


class _Silence:
    """Takes what xlrd has to say."""

    def write(self, _: str) -> None: ...
    def flush(self) -> None: ...


def read(path: Path, builder: TextBuilder) -> None:
    if has_password(path):
        raise ParseError("encrypted")
    builder.title, builder.date = properties(path)
    try:
        book = xlrd.open_workbook(str(path), logfile=_Silence(), formatting_info=True)
    except xlrd.XLRDError as error:
        raise ParseError("encrypted" if "encrypted" in str(error) else "corrupt") from error
    above = layers(path)
    for number, sheet in enumerate(book.sheets(), 1):
        merges = [Merge(top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells]
        add_sheet(
            builder,
            number,
            sheet.name,
            _rows(book, sheet),
            merges,
            [*_notes(sheet), *above.get(number - 1, ())],
            is_hidden=sheet.visibility != 0,
        )


def _rows(book: Any, sheet: Any) -> Iterator[Row]:
    forms = [book.format_map.get(style.format_key) for style in book.xf_list]
    codes = [form.format_str if form else "General" for form in forms]
    for number in range(sheet.nrows):
        cells = {
            column: text
            for column, cell in enumerate(sheet.row(number))
            if (text := _text(book, cell, codes).strip())
        }
        if cells:
            yield number, cells


def _text(book: Any, cell: Any, codes: list[str]) -> str:
    code = codes[cell.xf_index] if cell.xf_index is not None and cell.xf_index < len(codes) else "General"
    if cell.ctype in {XL_CELL_NUMBER, XL_CELL_DATE}:
        return shown(cell.value, code, from_1904=bool(book.datemode))
    if cell.ctype == XL_CELL_BOOLEAN:
        return "TRUE" if cell.value else "FALSE"
    if cell.ctype == XL_CELL_ERROR:
        return str(error_text_from_code.get(cell.value, ""))
    return shown_text(str(cell.value), code)


def _notes(sheet: Any) -> Iterator[str]:
    for (row, column), note in sorted(sheet.cell_note_map.items()):
        yield comment_on(f"{xlrd.colname(column)}{row + 1}", note.author or "", note.text)
