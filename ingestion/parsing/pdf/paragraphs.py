"""A region's rows as blocks: tables, and stretches of lines with what separates them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import median

from ingestion.parsing.pdf.blocks import Block, Line
from ingestion.parsing.pdf.cells import cells_of
from ingestion.parsing.pdf.lines import Segment, box_of, rows
from ingestion.parsing.pdf.rules import Rules
from ingestion.parsing.pdf.tables import find_table
from ingestion.parsing.pdf.words import Bold

APART = 1.35  # times the usual distance of baselines: beyond, a new block begins
LEADING = 1.6  # ems; the usual distance where a region has too few lines to tell
MEASURE, SYLLABLES = 20, 12  # ems of a full line at least, of Latin letters and of East Asian characters
WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")


def blocks_of(region: Sequence[Segment], rules: Rules, bold: Bold) -> Iterator[Block]:
    """The blocks of one column of segments, from the top down."""
    cells = [cells_of(row) for row in rows(region)]
    begin = number = 0
    while number < len(cells):
        if grid := cells[number][0].table:
            yield from _stretches(cells[begin:number], bold)
            yield grid
            begin = number = number + 1
            continue
        table = find_table(cells, number, begin, rules, bold) if len(cells[number]) > 1 else None
        if table is None:
            number += 1
            continue
        first, number, block = table
        yield from _stretches(cells[begin:first], bold)
        yield block
        begin = number
    yield from _stretches(cells[begin:], bold)


def _stretches(region: Sequence[list[Segment]], bold: Bold) -> Iterator[Block]:
    """Lines of one style without a gap between them."""
    lines = [_line(row, bold) for row in region]
    if not lines:
        return
    steps = sorted(b.box[3] - a.box[3] for a, b in zip(lines, lines[1:], strict=False))
    usual = steps[len(steps) // 3] if len(steps) >= 8 else 0.0
    right = _right(lines)
    for line in lines:
        line.right = right
    current = [lines[0]]
    for before, line in zip(lines, lines[1:], strict=False):
        step = line.box[3] - before.box[3]
        size = max(line.size, before.size)
        expected = usual if 0.9 * size < usual < 2.5 * size else LEADING * size
        same = abs(line.size - before.size) < 0.08 * size and line.bold == before.bold
        if step > APART * expected or step < 0 or not same:
            yield Block(current)
            current = []
        current.append(line)
    yield Block(current)


def _right(lines: Sequence[Line]) -> float:
    """Where full lines end. Lines that are all short, as of a form or an address, are not full."""
    text = "".join(line.text for line in lines)
    measure = SYLLABLES if 3 * len(WIDE.findall(text)) > len(text) else MEASURE
    longest = sorted(line.box[2] for line in lines)[int(0.95 * (len(lines) - 1))]
    return max(longest, min(line.box[0] for line in lines) + measure * median(line.size for line in lines))


def _line(row: list[Segment], bold: Bold) -> Line:
    words = [word for part in row for word in part.words]
    gaps = [b.u0 - a.u1 for a, b in zip(words, words[1:], strict=False)]
    return Line(
        " ".join(word.text for word in words),
        box_of(row),
        size=max(row, key=lambda part: part.u1 - part.u0).size,
        bold=bold(words[0].at) and bold(words[-1].at),
        head=words[0].u1 - words[0].u0,
        gap=median(gaps) if gaps else 0.0,
        spaced=words[-1].spaced,
    )
