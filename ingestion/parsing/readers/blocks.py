"""Blocks of a document whose tables have merged cells: paragraphs and tables, in the text's order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ingestion.parsing.builder import TextBuilder

LONGEST_REPEATED = 100  # characters of a merged cell that stands in each of its rows
LONGEST_HEADING = 200  # characters; a longer one is a clause in a heading's style


class Paragraph(NamedTuple):
    text: str
    level: int = 0  # of a heading


class Embedded(NamedTuple):
    """Something that adds itself to the text, as a file of another format does."""

    add: Callable[[TextBuilder], None]


@dataclass(frozen=True, slots=True)
class Cell:
    blocks: list[Paragraph | Grid | Embedded]
    columns: int = 1
    goes_on: bool = False  # the cell above, merged with this one
    begins_merge: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    cells: list[Cell]
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    rows: list[Row]

    @property
    def is_frame(self) -> bool:
        """Whether the table is of one column: a frame around text, whose cells are no data."""
        return all(len(row.cells) <= 1 for row in self.rows)


Block = Paragraph | Grid | Embedded


@dataclass(frozen=True, slots=True)
class Placed:
    """A cell of a table at its place, with its height and width in cells."""

    row: int
    column: int
    rows: int
    columns: int
    blocks: list[Block]


def add_blocks(blocks: Iterable[Block], builder: TextBuilder) -> None:
    """Put blocks into the text; what is in frames as if there were none."""
    for block in blocks:
        if isinstance(block, Embedded):
            block.add(builder)
        elif isinstance(block, Grid):
            if block.is_frame:
                add_blocks(_framed(block), builder)
            else:
                builder.table(rows_of(block))
        elif block.level and len(block.text) <= LONGEST_HEADING:
            builder.heading(block.level, block.text)
        else:
            builder.paragraph(block.text)


def _framed(grid: Grid) -> Iterator[Block]:
    return (inner for row in grid.rows for cell in row.cells for inner in cell.blocks)


def rows_of(grid: Grid) -> list[list[str]]:
    """A row of texts for each row; the rows of the header are joined to one.

    A cell over several rows stands in each of them, if it is short; one over several columns in the first.
    """
    headers = _header_rows(grid.rows)
    above: dict[int, str] = {}
    rows = []
    for number, row in enumerate(grid.rows):
        texts = _texts(row, above, spread=headers > 1 and number < headers)
        above = {place: texts[place] for place in range(len(texts))}
        rows.append(texts)
    return [_joined(rows[:headers]), *rows[headers:]] if headers > 1 else rows


def flat(blocks: Iterable[Block]) -> str:
    """The text of blocks as lines; tables as "a b; c d"."""
    return "\n".join(text for block in blocks if (text := _flat(block)))


def _flat(block: Block) -> str:
    if isinstance(block, Paragraph):
        return block.text.strip()
    if isinstance(block, Grid):
        if block.is_frame:
            return flat(_framed(block))
        return "; ".join(" ".join(filter(None, row)) for row in rows_of(block))
    return ""


def _texts(row: Row, above: dict[int, str], *, spread: bool) -> list[str]:
    texts: list[str] = []
    for cell in row.cells:
        text = _merged(above.get(len(texts), "")) if cell.goes_on else flat(cell.blocks)
        texts += [text, *[text if spread else ""] * (cell.columns - 1)]
    return texts


def _merged(text: str) -> str:
    return text if len(text) <= LONGEST_REPEATED else ""


def _header_rows(rows: list[Row]) -> int:
    """How many rows Word repeats on each page; or reach down from a first row that has parted columns."""
    marked = next((i for i, row in enumerate(rows) if not row.is_header), 0)
    if marked > 1 or not rows:
        return marked
    first = rows[0].cells
    if any(cell.begins_merge for cell in first) and any(cell.columns > 1 for cell in first):
        below = next((i for i, row in enumerate(rows[1:], 1) if not any(c.goes_on for c in row.cells)), 0)
        return below if below < 4 else 1
    return 1


def _joined(rows: list[list[str]]) -> list[str]:
    """ "Warehouse A" over "Stock" becomes "Warehouse A Stock"."""
    width = max(map(len, rows))
    return [" ".join(dict.fromkeys(_column(rows, place))) for place in range(width)]


def _column(rows: list[list[str]], place: int) -> Iterator[str]:
    return (row[place] for row in rows if place < len(row) and row[place])


def grid(cells: Iterable[Placed]) -> Grid:
    """A table of cells; where one reaches down, the rows below say so."""
    by_row: dict[int, list[Placed]] = {}
    for cell in cells:
        by_row.setdefault(cell.row, []).append(cell)
    rows, reaching = [], dict[int, Placed]()  # column -> the cell that goes on below
    for number in sorted(by_row):
        reaching = {c: cell for c, cell in reaching.items() if cell.row + cell.rows > number}
        own = {cell.column: cell for cell in by_row[number]}
        places = sorted({**reaching, **own}.items())
        rows.append(Row([_cell(cell, goes_on=column not in own) for column, cell in places]))
        reaching |= {column: cell for column, cell in own.items() if cell.rows > 1}
    return Grid(rows)


def _cell(cell: Placed, *, goes_on: bool) -> Cell:
    columns = min(max(cell.columns, 1), 100)
    return Cell([] if goes_on else cell.blocks, columns, goes_on, cell.rows > 1)
