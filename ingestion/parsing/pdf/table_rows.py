"""An aligned table's text: its header's rows as one, and its other rows with their wrapped cells whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ingestion.parsing.pdf.blocks import Block, Line, union
from ingestion.parsing.pdf.cells import has_data, is_data
from ingestion.parsing.pdf.lines import Segment, box_of
from ingestion.parsing.pdf.rules import Rules
from ingestion.parsing.pdf.strips import Column, column_of, spread, stands_over
from ingestion.parsing.pdf.words import Bold

MOST_HEADER_ROWS = 6
LETTER = re.compile(r"[^\W\d_]")
PROSE = re.compile(r"[^\W\d_]{3}")


def table_of(
    rows: Sequence[list[Segment]], columns: Sequence[Column], rules: Rules, bold: Bold
) -> Block | None:
    count = _header_rows(rows, columns, rules, bold)
    lines = _whole(rows[count:], columns, rules)
    if count:
        cells = _header_cells(rows[:count], columns, rules)
        box = union([box_of(row) for row in rows[:count]])
        lines.insert(0, Line(" ".join(cells), box, rows[0][0].size, cells=cells))
    middles = tuple(column.middle for column in columns)
    return Block(lines, table=True, header=bool(count), middles=middles) if len(lines) > 1 else None


def _header_rows(rows: Sequence[list[Segment]], columns: Sequence[Column], rules: Rules, bold: Bold) -> int:
    """How many rows the header has: those above the first figures; else above a rule, or in bold."""
    figures = [has_data(row) for row in rows]
    if 2 * sum(figures) >= sum(len(row) > 1 for row in rows):
        for number, row in enumerate(rows[: MOST_HEADER_ROWS + 1]):
            label = len(row) == 1 and row[0].u0 < columns[0].u1 and not stands_over(row[0], columns)
            if figures[number] or (label and number):
                return number
        return 0
    ruled = [n for n in range(1, len(rows)) if _parted(rows[n - 1], rows[n], columns, rules)]
    if ruled and ruled[0] <= MOST_HEADER_ROWS and len(ruled) < max(2, len(rows) - 2):
        return ruled[0]
    heavy = [all(bold(cell.words[0].at) for cell in row) for row in rows]
    if heavy[0]:
        return next((n for n, is_heavy in enumerate(heavy) if not is_heavy), 1) if not all(heavy) else 1
    return 1 if len(columns) > 2 and len(rows[0]) == len(columns) else 0


def _parted(
    above: Sequence[Segment], below: Sequence[Segment], columns: Sequence[Column], rules: Rules
) -> bool:
    base = max(cell.v for cell in above)
    return rules.between(base - 1, min(c.top for c in below) + 3, columns[0].u0, columns[-1].u1)


def _header_cells(rows: Sequence[list[Segment]], columns: Sequence[Column], rules: Rules) -> list[str]:
    """One text for each column, from the top down; a cell over several columns goes to each of them."""
    texts: list[list[str]] = [[] for _ in columns]
    for row in rows:
        reached: set[int] = set()
        for number, cell in _over(row, columns, rules):
            texts[number].append(cell.text)
            reached.add(id(cell))
        for cell in row:  # nothing is lost
            if id(cell) not in reached:
                texts[column_of(cell, columns)].append(cell.text)
    return [" ".join(parts) for parts in texts]


def _over(row: Sequence[Segment], columns: Sequence[Column], rules: Rules) -> Iterator[tuple[int, Segment]]:
    """Number of a column and the cell of a header's row that stands over it.

    A line under a cell tells how far it reaches; without lines, cells share the columns evenly if they can.
    """
    cells = [cell for cell in row if cell.u1 > columns[1].u0 and column_of(cell, columns)]
    reach = [_reach(cell, cells, rules) for cell in cells]
    if any(sum(r.u0 < c.middle < r.u1 for c in columns[1:]) > 1 for r in reach):
        for number, column in enumerate(columns[1:], 1):
            found = [c for c, r in zip(cells, reach, strict=True) if r.u0 < column.middle < r.u1]
            if found:
                yield number, found[0]
        return
    group, rest = divmod(len(columns) - 1, len(cells)) if cells else (0, 1)
    if group and not rest:
        strips = [columns[1 + group * n : 1 + group * (n + 1)] for n in range(len(cells))]
        if all(_within(cell, strip) for cell, strip in zip(cells, strips, strict=True)):
            for number in range(1, len(columns)):
                yield number, cells[(number - 1) // group]
            return
    for number, column in enumerate(columns[1:], 1):
        near = [c for c in cells if column.overlap(c) > -1.5 * c.size]
        if near:
            yield number, min(near, key=lambda c: abs((c.u0 + c.u1) / 2 - column.middle))


def _reach(cell: Segment, cells: Sequence[Segment], rules: Rules) -> Column:
    """The strip that the line under a cell covers, or the cell itself where a line is under several."""
    strip = Column(*rules.under(cell.v, cell.size, cell.u0, cell.u1))
    others = (other for other in cells if other is not cell)
    return Column(cell.u0, cell.u1) if any(strip.overlap(other) > other.size for other in others) else strip


def _within(cell: Segment, strip: Sequence[Column]) -> bool:
    """Does the cell stand over these columns and hardly beyond?"""
    return strip[0].u0 - 3 * cell.size < cell.u0 and cell.u1 < strip[-1].u1 + 1.5 * cell.size


def _whole(rows: Sequence[list[Segment]], columns: Sequence[Column], rules: Rules) -> list[Line]:
    """The rows as lines; those are joined that hold one row's cells, wrapped."""
    places = [dict(_placed(row, columns)) for row in rows]
    ends = [max((p[n].u1 for p in places if n in p), default=0.0) for n in range(len(columns))]
    parted = [_parted(a, b, columns, rules) for a, b in zip(rows, rows[1:], strict=False)]
    ruled = sum(parted) >= 2 and not _groups(places, parted, len(columns))
    found: list[list[dict[int, Segment]]] = []
    for number, place in enumerate(places):
        near = number and rows[number][0].v - rows[number - 1][0].v < 1.6 * rows[number][0].size
        if found and (
            not parted[number - 1] if ruled else near and _wrapped(found[-1][-1], place, columns, ends)
        ):
            found[-1].append(place)
        else:
            found.append([place])
    return [_line(row, len(columns)) for row in found]


def _placed(row: Sequence[Segment], columns: Sequence[Column]) -> Iterator[tuple[int, Segment]]:
    parts: dict[int, list[Segment]] = {}
    for cell in row:
        for number, part in spread(cell, columns):
            parts.setdefault(number, []).append(part)
    for number, cells in parts.items():
        yield number, cells[0] if len(cells) == 1 else Segment([w for cell in cells for w in cell.words])


def _groups(places: Sequence[dict[int, Segment]], parted: Sequence[bool], columns: int) -> bool:
    """Do the rules part groups of rows, so that whole rows or figures of a column share a band?"""
    bands: list[list[dict[int, Segment]]] = [[]]
    for number, place in enumerate(places):
        if number and parted[number - 1]:
            bands.append([])
        bands[-1].append(place)
    whole = sum(len(place) == columns for place in places)
    figures = [
        Counter(n for place in band for n, c in place.items() if n and is_data(c.text)) for band in bands
    ]
    return 2 * whole > 3 * len(bands) or any(count > 1 for band in figures for count in band.values())


def _wrapped(
    before: dict[int, Segment], place: dict[int, Segment], columns: Sequence[Column], ends: Sequence[float]
) -> bool:
    """Does the row go on with cells of the row before that were full?"""
    label = place.get(0)
    if set(before) == {0} and label and len(place) > 1:  # a long label, its figures on its last line
        text = before[0].text
        full = before[0].u1 > columns[1].u0 - 6 * label.size and text[-1] not in ":."
        return label.text[:1].islower() or full
    if len(place) == len(columns) or not set(place) <= set(before):
        return False
    if label and label.text[-1] == ":":
        return False
    return all(
        not (is_data(cell.text) and not LETTER.search(cell.text))
        and PROSE.search(before[n].text) is not None
        and before[n].u1 + cell.words[0].u1 - cell.words[0].u0 + 0.2 * cell.size > ends[n]
        for n, cell in place.items()
    )


def _line(row: Sequence[dict[int, Segment]], columns: int) -> Line:
    """One line of text for each cell; the reader joins them as it joins a paragraph's."""
    cells = ["\n".join(place[n].text for place in row if n in place) for n in range(columns)]
    parts = [cell for place in row for cell in place.values()]
    return Line(" ".join(filter(None, cells)), box_of(parts), parts[0].size, cells=cells)
