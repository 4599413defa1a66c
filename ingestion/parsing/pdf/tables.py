"""Aligned tables: rows whose cells stand below each other, with or without rules around them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ingestion.parsing.pdf.blocks import Block, Line
from ingestion.parsing.pdf.cells import has_data
from ingestion.parsing.pdf.lines import Segment
from ingestion.parsing.pdf.rules import Rules
from ingestion.parsing.pdf.strips import Column, aligned, columns_of, split, stands_over
from ingestion.parsing.pdf.table_rows import table_of
from ingestion.parsing.pdf.words import Bold

FAR = 4.5  # ems between two rows of figures at most
NEAR = 2.6  # ems between two rows of text
MOST_BETWEEN = 4  # lines between two parts of a table
LONG = 14  # words: a lone cell with more is a sentence between two tables


def find_table(
    rows: Sequence[list[Segment]], start: int, least: int, rules: Rules, bold: Bold
) -> tuple[int, int, Block] | None:
    """The table whose first row of several cells is `start`: number of its first row, not before `least`, and
    of the row after its last, and the table. None where the rows are no table.
    """
    end = _end(rows, start)
    body = [row for row in rows[start:end] if len(row) > 1]
    if len(body) < 2 or (len(body) == 2 and max(map(len, body)) < 3):
        return None
    data = [row for row in body if has_data(row)]
    columns = columns_of(data if len(data) > 1 else body)
    if len(columns) < 2 or not aligned(body, columns):
        return None
    first = _first(rows, start, least, columns)
    table = table_of(rows[first:end], columns, rules, bold)
    return (first, end, table) if table else None


def _end(rows: Sequence[list[Segment]], start: int) -> int:
    """One past the last row; lone cells inside are labels of sections, parts of the header or of cells."""
    end = start + 1
    left, values = rows[start][0].u0, rows[start][1].u0
    data = has_data(rows[start])
    for number in range(start + 1, len(rows)):
        row, before = rows[number], rows[number - 1]
        size = min(row[0].size, before[0].size)
        if row[0].table or row[0].v - before[0].v > (FAR if data else NEAR) * size:
            break
        if len(row) > 1:
            end = number + 1
            left, values = min(left, row[0].u0), row[1].u0
            data = data or has_data(row)
            continue
        label = row[0].u0 - left < 4 * size
        cell = row[0].v - before[0].v < 1.5 * size and not _crosses(row[0], before)
        if (
            number - end >= 3
            or (len(row[0].words) > LONG and row[0].u1 > values)
            or not (label or cell or not data)
        ):
            break
    if end < len(rows) and _continues(rows[start:end], rows[end]):
        end += 1
    return end


def _crosses(cell: Segment, row: Sequence[Segment]) -> bool:
    """Does it stand below more than one cell, or below none?"""
    return sum(cell.u0 < other.u1 and other.u0 < cell.u1 for other in row) != 1


def _continues(rows: Sequence[list[Segment]], after: list[Segment]) -> bool:
    """Does a lone last line finish the first cell above it?"""
    last, cell = rows[-1], after[0]
    if len(after) > 1 or cell.table or cell.v - last[0].v > 1.5 * cell.size or cell.u1 > last[1].u0:
        return False
    full = last[0].u1 + cell.words[0].u1 - cell.u0 > max(row[0].u1 for row in rows if len(row) > 1)
    return cell.text[:1].islower() or full


def _first(rows: Sequence[list[Segment]], start: int, least: int, columns: Sequence[Column]) -> int:
    """The row where the header begins: lone cells just above that stand over the later columns."""
    first = start
    while first > least and start - first < 3:
        above = rows[first - 1]
        near = rows[first][0].v - above[0].v < 2.2 * max(above[0].size, rows[first][0].size)
        if near and len(above) == 1 and len(parts := split(above[0], columns)) > 1:
            above[:] = parts
            first -= 1
            continue
        if not (near and len(above) == 1 and len(above[0].words) <= LONG and stands_over(above[0], columns)):
            break
        first -= 1
    return first


def carry_headers(blocks: Iterable[Block]) -> None:
    """Give a table that goes on after a page's end or a line between the header of the one before."""
    before: Block | None = None
    apart = 0
    for block in blocks:
        if not block.table:
            apart += len(block.lines)
            continue
        head = before.lines[0] if before and apart <= MOST_BETWEEN else None
        if before and head and not block.header and _same_columns(before, block):
            if block.lines[0].cells != head.cells:
                block.lines.insert(0, Line(head.text, (0, 0, 0, 0), head.size, cells=list(head.cells)))
            block.header = True
        if block.header:
            before, apart = block, 0


def _same_columns(one: Block, other: Block) -> bool:
    size = one.lines[0].size
    return len(one.middles) == len(other.middles) and all(
        abs(a - b) < 3 * size for a, b in zip(one.middles[1:], other.middles[1:], strict=True)
    )
