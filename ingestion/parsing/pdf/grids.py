"""Tables drawn as grids: lines in both directions that meet, with text in the cells between them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from ingestion.parsing.pdf.blocks import Block, Line, union
from ingestion.parsing.pdf.cells import is_data
from ingestion.parsing.pdf.frames import Box
from ingestion.parsing.pdf.lines import Segment, merged, rows
from ingestion.parsing.pdf.rules import Rules
from ingestion.parsing.pdf.words import Bold, Word

NEAR = 3.0  # points between lines that meet, or that are one
MOST_LINES = 400  # of one grid in each direction
MOST_WORDS = 80  # of a cell on average: beyond, the lines frame a page's layout
REPEATED = 80  # characters at most that a merged cell says again in each of its rows


def take_grids(words: Sequence[Word], rules: Rules, bold: Bold) -> tuple[list[Word], list[Segment]]:
    """The words outside all grids, and one segment that stands for each grid and holds its table."""
    left = list(words)
    found: list[Segment] = []
    for grid in _grids(rules):
        inside = [word for word in left if grid.holds(word)]
        table = grid.table(inside, bold)
        if table:
            taken = set(map(id, inside))
            left = [word for word in left if id(word) not in taken]
            found.append(Segment.of_table(table, grid.box))
    return left, found


class _Grid:
    """Lines that touch each other: where their columns and rows begin and end."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.us = _places([u for u, _, _ in rules.down])
        self.vs = _places([v for v, _, _ in rules.across])

    @property
    def box(self) -> Box:
        return self.us[0], self.vs[0], self.us[-1], self.vs[-1]

    @property
    def sensible(self) -> bool:
        columns, bands = len(self.us) - 1, len(self.vs) - 1
        return columns >= 2 and bands >= 2 and max(columns, bands) <= MOST_LINES

    def holds(self, word: Word) -> bool:
        middle = (word.u0 + word.u1) / 2
        return self.us[0] < middle < self.us[-1] and self.vs[0] < word.v - word.size / 3 < self.vs[-1]

    def table(self, words: Sequence[Word], bold: Bold) -> Block | None:
        cells: dict[tuple[int, int], list[Word]] = {}
        for word in words:
            row = bisect_right(self.vs, word.v - word.size / 3) - 1
            column = bisect_right(self.us, (word.u0 + word.u1) / 2) - 1
            cells.setdefault(self._origin(row, column), []).append(word)
        if len(cells) < 3 or len(words) > MOST_WORDS * len(cells):
            return None
        spots = [(row, n) for row in range(len(self.vs) - 1) for n in range(len(self.us) - 1)]
        if 2 * len({self._origin(*spot) for spot in spots}) < len(spots):  # lines of something else
            return None
        texts = {place: _text(inside) for place, inside in cells.items()}
        size = words[0].size
        lines = []
        for row in range(len(self.vs) - 1):
            found = [self._shown(row, column, texts) for column in range(len(self.us) - 1)]
            box = (self.us[0], self.vs[row], self.us[-1], self.vs[row + 1])
            if any(found):
                lines.append(Line(" ".join(filter(None, found)), box, size, cells=found))
        columns = [n for n in range(len(self.us) - 1) if any(line.cells[n] for line in lines)]
        if len(lines) < 2 or len(columns) < 2:
            return None
        for line in lines:
            line.cells = [line.cells[n] for n in columns]
        first = next((inside for (row, _), inside in sorted(cells.items()) if row == 0), [])
        heavy = bool(first) and all(bold(word.at) for word in first)
        middles = tuple((self.us[n] + self.us[n + 1]) / 2 for n in columns)
        return _with_header(Block(lines, table=True, middles=middles), heavy)

    def _origin(self, row: int, column: int) -> tuple[int, int]:
        """The first cell of the merged one that a place belongs to: up and left while no line parts them."""
        while column and not self._parted(self._rules.down, self.us[column], self.vs[row], self.vs[row + 1]):
            column -= 1
        while row and not self._parted(
            self._rules.across, self.vs[row], self.us[column], self.us[column + 1]
        ):
            row -= 1
        return row, column

    def _shown(self, row: int, column: int, texts: dict[tuple[int, int], str]) -> str:
        origin = self._origin(row, column)
        text = texts.get(origin, "")
        if origin == (row, column):
            return text
        below = origin[1] == column or not origin[0]  # a group's name, or a header over several columns
        return text if below and len(text) <= REPEATED else ""

    @staticmethod
    def _parted(lines: Sequence[tuple[float, float, float]], at: float, start: float, end: float) -> bool:
        middle = (start + end) / 2
        return any(abs(place - at) <= NEAR and a - NEAR <= middle <= b + NEAR for place, a, b in lines)


def _grids(rules: Rules) -> list[_Grid]:
    """Lines in groups that touch each other, those that can be tables."""
    lines = [(True, *line) for line in rules.across] + [(False, *line) for line in rules.down]
    if not rules.across or not rules.down or len(lines) > 10 * MOST_LINES:
        return []
    groups: list[tuple[Box, Rules]] = []
    for across, place, start, end in sorted(lines, key=lambda line: line[0]):
        box = (start, place, end, place) if across else (place, start, place, end)
        touched = [group for group in groups if _touch(group[0], box)]
        mine = Rules()
        (mine.across if across else mine.down).append((place, start, end))
        for group in touched:
            box = union([group[0], box])
            mine.across += group[1].across
            mine.down += group[1].down
        groups = [group for group in groups if group not in touched] + [(box, mine)]
    found = [_Grid(mine) for _, mine in groups if mine.across and mine.down]
    return [grid for grid in found if grid.sensible]


def _touch(one: Box, other: Box) -> bool:
    return (
        one[0] <= other[2] + NEAR
        and other[0] <= one[2] + NEAR
        and one[1] <= other[3] + NEAR
        and other[1] <= one[3] + NEAR
    )


def _places(values: Sequence[float]) -> list[float]:
    """Positions in order, those that are nearly equal once."""
    found: list[float] = []
    for value in sorted(values):
        if not found or value - found[-1] > NEAR:
            found.append(value)
    return found


def _text(words: Sequence[Word]) -> str:
    """A cell's lines from the top down, parted by line breaks."""
    lines = [merged(row) for row in rows([Segment([word]) for word in words])]
    return "\n".join(" ".join(part.text for part in line) for line in lines)


def _with_header(table: Block, heavy: bool) -> Block:
    """Join the header's rows to one. A second one goes with the first where a cell of that covers columns."""
    first, second = table.lines[0].cells, table.lines[1].cells
    covers = any(a and a == b for a, b in zip(first, first[1:], strict=False))
    if covers and len(table.lines) > 2 and not any(is_data(cell) for cell in second[1:]):
        joined = [f"{a}\n{b}" if a and b and a != b else a or b for a, b in zip(first, second, strict=True)]
        table.lines[:2] = [Line(" ".join(joined), table.lines[0].box, table.lines[0].size, cells=joined)]
        table.header = True
    else:
        wide = len(first) > 2 and not any(is_data(cell) for cell in first[1:])
        table.header = heavy or wide
    return table
