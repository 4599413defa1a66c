"""Where a table's column names stand: below its titles, in one row or in up to three."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

NUMBER = re.compile(
    r"[-+(]?\s?[^\w\s]{0,2}\s?[-+]?\d[\d.,'\s]*(?:E[+-]?\d+)?\s?(?:%|‰|\)|[^\W\d_]{1,4}|[€$£¥₩])?\s?\)?-?",
    re.IGNORECASE,
)
DATE = re.compile(
    r"(?:19|20)\d\d|\d{1,4}[-./]\d{1,2}(?:[-./]\d{1,4})?(?:[T ].{4,15})?|\d{1,2}:\d\d(?::\d\d)?"
    r"|\d{1,2}[. -]{1,2}[^\W\d_]{3,9}[. -]{1,2}\d{2,4}|[HQ][1-4]|(?:Q[1-4]|[^\W\d_]{3,9})[ -'’]{1,2}\d{2,4}"
    r"|\d{2,4}년.*|\d{1,2}월.*",
    re.IGNORECASE,
)
VALUES = {"number", "date"}
MOST_HEADERS = 3
MOSTLY = 0.7  # of a column's cells
WHOLE = 0.8  # of a table's width: a merged cell over more of it is a title
LONGEST_LABEL = 60  # characters of the name of a single column
Row = tuple[int, dict[int, str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the first rows of a table are laid out. `header` is empty where the table names no columns."""

    titles: int
    headers: int
    header: dict[int, str]  # column -> its name, joined from its rows
    columns: list[int]
    is_sure: bool  # names stand above numbers, or in several rows


def starts_new_table(layout: Layout, columns: Sequence[int]) -> bool:
    """Whether rows behind a gap are a table of their own, and not more rows of the one above."""
    other_columns = bool(layout.header) and layout.columns != list(columns)
    return layout.is_sure or (other_columns and len(layout.columns) > 1)


def layout_of(rows: Sequence[Row], wide: Mapping[tuple[int, int], int]) -> Layout:
    """The layout of a table's first rows; `wide` has the last column of each cell that is merged across."""
    usual = median(len(cells) for _, cells in rows[-50:])
    titles = 0
    while titles < len(rows) - 1 and _is_title(rows, titles, usual, wide):
        titles += 1
    table = rows[titles:]
    columns = sorted({column for _, cells in table for column in cells})
    kinds = _kinds(table[1:], columns)
    if len(table) < 2 or _is_data(table[0][1], kinds, len(columns)):
        return Layout(titles, 0, {}, columns, is_sure=False)
    headers = 1
    while headers < min(MOST_HEADERS, len(table) - 1) and _goes_on(table, headers, columns, wide):
        headers += 1
    numbers = _kinds(table[headers:], columns)
    is_sure = headers > 1 or any(
        kind in VALUES and _kind(table[0][1].get(column, "")) == "text" for column, kind in numbers.items()
    )
    return Layout(titles, headers, _joined(table[:headers], columns, wide), columns, is_sure)


def _is_title(rows: Sequence[Row], place: int, usual: float, wide: Mapping[tuple[int, int], int]) -> bool:
    """A lone cell above a table, or a fact about it such as "Date: | 2 July"."""
    number, cells = rows[place]
    if usual < 2 and all(len(row[1]) < 2 for row in rows[place:]):
        return False
    first, last = min(cells), max(cells)
    width = 1 + max(max(row[1]) for row in rows) - min(min(row[1]) for row in rows)
    if len(cells) == 1:
        end = wide.get((number, first))
        is_group = (
            end is not None and first > min(min(row[1]) for row in rows) and end - first + 1 < WHOLE * width
        )
        return not is_group
    return len(cells) == 2 and usual >= 3 and last == first + 1 and (number, last) not in wide


def _is_data(cells: Mapping[int, str], kinds: Mapping[int, str], width: int) -> bool:
    """Whether the row above a table's body is of the body's own kind, so that no row names the columns."""
    if width == 1:
        return len(next(iter(cells.values()))) > LONGEST_LABEL
    checked = [
        (_kind(cells.get(column, "")), kind) for column, kind in kinds.items() if kind in {"number", "date"}
    ]
    return bool(checked) and all(own == kind for own, kind in checked)


def _goes_on(
    table: Sequence[Row], place: int, columns: Sequence[int], wide: Mapping[tuple[int, int], int]
) -> bool:
    """Whether the row at `place` names columns too, together with those above it."""
    number, top = table[place - 1]
    below, cells = table[place]
    if below != number + 1:
        return False
    kinds = _kinds(table[place + 1 :], columns)
    numeric = [column for column, kind in kinds.items() if kind in VALUES and column in cells]
    if any(_kind(cells[column]) == kinds[column] for column in numeric):
        return False
    if any(_kind(text) == "number" for text in cells.values()):
        return False
    merged = [column for column in top if (number, column) in wide]
    if merged:
        return any(column in cells for first in merged for column in range(first, wide[number, first] + 1))
    gaps = [column for column in columns if column not in top and column in cells and column > min(top)]
    return (bool(gaps) and len(numeric) >= 1) or len(numeric) >= 2


def _joined(
    rows: Sequence[Row], columns: Sequence[int], wide: Mapping[tuple[int, int], int]
) -> dict[int, str]:
    """ "Warehouse A" over "stock" as "Warehouse A stock"."""
    names: dict[int, list[str]] = {column: [] for column in columns}
    for place, (number, cells) in enumerate(rows):
        merged = any((number, column) in wide for column in cells)
        group, end = "", -1
        for column in columns:
            if column in cells:
                group = cells[column]
                end = wide.get((number, column), column) if merged or place == len(rows) - 1 else columns[-1]
            is_named = column in cells or (
                column <= end and any(column in row for _, row in rows[place + 1 :])
            )
            text = group if is_named and (column in cells or column <= end) else ""
            if text and text not in names[column]:
                names[column].append(text)
    return {column: " ".join(parts) for column, parts in names.items() if parts}


def _kinds(rows: Sequence[Row], columns: Sequence[int]) -> dict[int, str]:
    """What most cells of each column are."""
    found: dict[int, str] = {}
    for column in columns:
        cells = [_kind(cells[column]) for _, cells in rows if column in cells]
        for kind in ("number", "date", "text"):
            if cells and cells.count(kind) >= MOSTLY * len(cells):
                found[column] = kind
    return found


def _kind(text: str) -> str:
    if not text:
        return ""
    if len(text) > 40:
        return "text"
    if DATE.fullmatch(text):
        return "date"
    return "number" if NUMBER.fullmatch(text) else "text"
