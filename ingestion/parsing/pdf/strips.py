"""The columns of an aligned table: strips of the page that its cells stand in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingestion.parsing.pdf.lines import Segment
from ingestion.parsing.pdf.words import Word


@dataclass(slots=True)
class Column:
    """The strip that a column's cells cover."""

    u0: float
    u1: float

    def overlap(self, cell: Segment) -> float:
        return min(self.u1, cell.u1) - max(self.u0, cell.u0)

    @property
    def middle(self) -> float:
        return (self.u0 + self.u1) / 2


def columns_of(body: Sequence[list[Segment]]) -> list[Column]:
    """Strips made of cells from narrow to wide; a cell across several strips makes none."""
    found: list[Column] = []
    for cell in sorted((c for row in body for c in row), key=lambda c: c.u1 - c.u0):
        hit = [c for c in found if c.overlap(cell) > 0.2 * min(c.u1 - c.u0, cell.u1 - cell.u0)]
        if not hit:
            found.append(Column(cell.u0, cell.u1))
        elif len(hit) == 1:
            hit[0].u0, hit[0].u1 = min(hit[0].u0, cell.u0), max(hit[0].u1, cell.u1)
    found.sort(key=lambda c: c.middle)
    return _without_slips(found, body)


def _without_slips(columns: list[Column], body: Sequence[list[Segment]]) -> list[Column]:
    """Neighbours joined that no row fills both of: one column whose cells are set left and right."""
    taken = [{column_of(cell, columns) for cell in row} for row in body]
    found: list[Column] = []
    members: list[set[int]] = []
    for number, column in enumerate(columns):
        if members and not any(number in row and members[-1] & row for row in taken):
            fewer = min(sum(bool(members[-1] & row) for row in taken), sum(number in row for row in taken))
            both = any(
                found[-1].overlap(c) > c.size and column.overlap(c) > c.size for row in body for c in row
            )
            if both or fewer <= max(1, 0.2 * len(body)):
                found[-1] = Column(min(found[-1].u0, column.u0), max(found[-1].u1, column.u1))
                members[-1].add(number)
                continue
        found.append(column)
        members.append({number})
    return found


def column_of(cell: Segment, columns: Sequence[Column]) -> int:
    return max(range(len(columns)), key=lambda n: columns[n].overlap(cell))


def aligned(body: Sequence[list[Segment]], columns: Sequence[Column]) -> bool:
    """Do nearly all cells have a column of their own, and do two columns at least repeat?"""
    own = sum(len({column_of(cell, columns) for cell in row}) for row in body)
    cells = sum(map(len, body))
    filled = [sum(any(column_of(c, columns) == n for c in row) for row in body) for n in range(len(columns))]
    words = sum(len(cell.words) for row in body for cell in row)
    return own >= 0.8 * cells and sum(count >= 2 for count in filled) >= 2 and words <= 9 * cells


def split(cell: Segment, columns: Sequence[Column]) -> list[Segment]:
    """A line above a table in as many parts as it has columns after the first, if it falls apart so."""
    if cell.u0 < columns[0].u1 or len(columns) < 3:
        return [cell]
    parts: list[list[Word]] = [[] for _ in columns[1:]]
    for word in cell.words:
        near = [abs((word.u0 + word.u1) / 2 - column.middle) for column in columns[1:]]
        parts[near.index(min(near))].append(word)
    whole = all(parts) and all(
        b[0].u0 - a[-1].u1 > 0.4 * cell.size for a, b in zip(parts, parts[1:], strict=False)
    )
    return [Segment(part) for part in parts] if whole else [cell]


def stands_over(cell: Segment, columns: Sequence[Column]) -> bool:
    """Is the cell centred over one of the columns after the first, or over several?"""
    middle = (cell.u0 + cell.u1) / 2
    strips = [(a.u0, b.u1) for n, a in enumerate(columns[1:]) for b in columns[n + 1 :]]
    return any(
        abs((u0 + u1) / 2 - middle) < 1.2 * cell.size and u0 - cell.u0 < cell.size for u0, u1 in strips
    )


def spread(cell: Segment, columns: Sequence[Column]) -> Iterator[tuple[int, Segment]]:
    """The cell with its column's number; in parts where its words stand in several columns."""
    reached = [n for n, column in enumerate(columns) if column.overlap(cell) > 0.8 * cell.size]
    if len(reached) < 2:
        yield column_of(cell, columns), cell
        return
    parts: dict[int, list[Word]] = {}
    for word in cell.words:
        parts.setdefault(column_of(Segment([word]), columns), []).append(word)
    groups = list(parts.values())
    gaps = [b[0].u0 - a[-1].u1 for a, b in zip(groups, groups[1:], strict=False)]
    if min(gaps, default=0.0) < 0.4 * cell.size:  # running text across columns
        yield column_of(cell, columns), cell
        return
    for number, words in parts.items():
        yield number, Segment(words)
