"""A sheet's cells as tables: titles above, one joined header, a merged group's name in each of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby, islice
from typing import NamedTuple

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.headers import Layout, layout_of, starts_new_table

MOST_FACTS = 3  # rows above a table, as "Valid from: | May"
SAMPLE = 100  # rows that show how a table is laid out
MOST_COLUMNS = 500  # past that, a row is its filled cells alone
Row = tuple[int, dict[int, str]]  # its number from 0, and its filled cells by their column


class Merge(NamedTuple):
    """Cells shown as one, which hold the text of the first; rows and columns count from 0, ends included."""

    top: int
    left: int
    bottom: int
    right: int


def add_sheet(
    builder: TextBuilder,
    number: int,
    name: str,
    rows: Iterable[Row],
    merges: Sequence[Merge],
    layers: Sequence[str],
    *,
    is_hidden: bool,
) -> None:
    """Add a sheet as a page with its name as the heading; nothing of a sheet that is empty.

    `layers` are the paragraphs for what lies over the cells. A hidden sheet is read, and marked.
    """
    rows = iter(rows)
    first = list(islice(rows, 1))
    layers = [text for text in layers if text.strip()]
    if not first and not layers:
        return
    builder.page(number)
    builder.heading(2, f"{name} (hidden sheet)" if is_hidden else name)
    if is_hidden:
        builder.warn(f"Sheet “{name}” is hidden.")
    add_grid(chain(first, rows), merges, builder)
    for text in layers:
        builder.paragraph(text)


def comment_on(cell: str, author: str, text: str) -> str:
    """A comment's paragraph. Excel and LibreOffice may begin its text with its author's name."""
    author = author.strip()
    text = text.strip().removeprefix(f"{author}:").strip()
    return f"Comment on {cell}, {author}: {text}" if author else f"Comment on {cell}: {text}"


def add_grid(rows: Iterable[Row], merges: Sequence[Merge], builder: TextBuilder) -> None:
    """Add a sheet's rows that hold something, in their order. Empty rows part its tables."""
    wide = {(merge.top, merge.left): merge.right for merge in merges if merge.right > merge.left}
    columns: list[int] = []
    waiting: list[Row] = []  # lone cells: the title of what follows, or rows of what stands above
    for block in _blocks(_with_merged(rows, merges)):
        own = list(islice(block, SAMPLE))
        sample = [*waiting, *own]
        layout = layout_of(sample, wide)
        is_preface = not columns and not layout.is_sure and len(own) <= MOST_FACTS and _widest(own) <= 2
        if is_preface or (len(own) == 1 and _widest(own) == 1):
            waiting = sample
            continue
        waiting = []
        if columns and not starts_new_table(layout, columns):
            builder.more_rows(_cells(chain(sample, block), columns))
        else:
            columns = layout.columns
            _add_table(builder, layout, sample, block)
    if columns:
        builder.more_rows(_cells(waiting, columns))
    elif waiting:
        _add_table(builder, layout_of(waiting, wide), waiting, ())


def _add_table(builder: TextBuilder, layout: Layout, sample: Sequence[Row], more: Iterable[Row]) -> None:
    for _, cells in sample[: layout.titles]:
        builder.paragraph(" ".join(cells[column] for column in sorted(cells)))
    header = [[layout.header.get(column, "") for column in layout.columns]] if layout.header else []
    body = _cells(chain(sample[layout.titles + layout.headers :], more), layout.columns)
    builder.table(chain(header, body), header=bool(header))


def _widest(rows: Sequence[Row]) -> int:
    return max(len(cells) for _, cells in rows)


def _cells(rows: Iterable[Row], columns: Sequence[int]) -> Iterator[list[str]]:
    """Each row's texts in the places of the table's columns; what stands beside them comes last."""
    known = set(columns)
    for _, cells in rows:
        if len(columns) > MOST_COLUMNS:
            yield [cells[column] for column in sorted(cells)]
        else:
            beside = sorted(cells.keys() - known)
            yield [cells.get(column, "") for column in columns] + [cells[column] for column in beside]


def _blocks(rows: Iterable[Row]) -> Iterator[Iterator[Row]]:
    """The rows without a gap between them, one group at a time."""
    block, before = 0, -1

    def number(row: Row) -> int:
        nonlocal block, before
        block += row[0] > before + 1
        before = row[0]
        return block

    return (group for _, group in groupby(rows, number))


def _with_merged(rows: Iterable[Row], merges: Sequence[Merge]) -> Iterator[Row]:
    """The rows, each with the texts of the cells that reach down into it."""
    tall: dict[int, list[Merge]] = {}
    for merge in merges:
        if merge.bottom > merge.top:
            tall.setdefault(merge.top, []).append(merge)
    reaching: dict[int, tuple[int, str]] = {}  # column -> (last row, text)
    for number, cells in rows:
        for column, (bottom, text) in list(reaching.items()):
            if number > bottom:
                del reaching[column]
            else:
                cells.setdefault(column, text)
        for merge in tall.get(number, ()):
            if text := cells.get(merge.left, ""):
                reaching[merge.left] = (merge.bottom, text)
        yield number, cells
