"""The blocks of a Word document's body, of a cell, a note or a text box: paragraphs and tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from xml.etree.ElementTree import Element

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.blocks import LONGEST_HEADING, Block, Cell, Embedded, Grid, Paragraph, Row
from ingestion.parsing.readers.docx_numbering import Numbering
from ingestion.parsing.readers.docx_runs import LEFT_OUT, Runs
from ingestion.parsing.readers.docx_styles import Styles, W, number, numbered, value
from ingestion.parsing.readers.ooxml import ALTERNATIVES, MC, R, branch

P, TABLE, ROW, CELL, EMBEDDED = (f"{W}{name}" for name in ("p", "tbl", "tr", "tc", "altChunk"))
FALLBACK = f"{MC}Fallback"


def pieces(container: Element) -> Iterator[Element]:
    """Paragraphs, and tables as their rows and then the table itself, which ends it."""
    for child in container:
        if child.tag in {P, ROW, EMBEDDED}:
            yield child
        elif child.tag == ALTERNATIVES:
            chosen = branch(child)
            yield from pieces(chosen) if chosen is not None else ()
        elif child.tag not in LEFT_OUT:
            yield from pieces(child)
            if child.tag == TABLE:
                yield child


def streamed_pieces(events: Iterable[tuple[str, Element]]) -> Iterator[Element]:
    """The same of a part as it is read, each taken out of the tree when the next is asked for."""
    open_elements: list[Element] = []
    inside = skipped = 0
    for event, element in events:
        tag = element.tag
        step = 1 if event == "start" else -1
        if tag in LEFT_OUT or tag == FALLBACK:
            skipped += step if not inside else 0
        elif tag in {P, ROW, EMBEDDED}:
            inside += step
        if event == "start":
            open_elements.append(element)
            continue
        open_elements.pop()
        if inside:
            continue
        if tag in {P, ROW, TABLE, EMBEDDED} and not skipped:
            yield element
        if open_elements:
            open_elements[-1].clear()


class Blocks:
    """Puts pieces together, with the numbers of lists and the levels of headings.

    `embedded` adds the file behind a relationship to the text.
    """

    def __init__(
        self,
        runs: Runs,
        styles: Styles,
        numbering: Numbering,
        embedded: Callable[[str, TextBuilder], None],
    ) -> None:
        self._runs = runs
        self._embedded = embedded
        self._styles = styles
        self._numbering = numbering

    def read(self, found: Iterable[Element]) -> Iterator[Block]:
        rows: list[Row] = []
        carried = ""  # text of paragraphs that run on into the next
        for piece in found:
            if piece.tag == ROW:
                if piece.find(f"{W}trPr/{W}del") is None:
                    rows.append(self._row(piece))
            elif piece.tag == TABLE:
                yield Grid(rows)
                rows = []
            elif piece.tag == EMBEDDED:
                yield Embedded(partial(self._embedded, piece.get(f"{R}id", "")))
            elif _runs_on(piece):
                line = self._runs.read(piece)
                carried += line.text
                yield from self._beside(line.asides, line.boxes)
            else:
                yield from self._paragraph(piece, carried)
                carried = ""
        if carried:
            yield Paragraph(carried)

    def _paragraph(self, paragraph: Element, carried: str) -> Iterator[Block]:
        properties = paragraph.find(f"{W}pPr")
        style = self._styles.of(properties)
        label = self._numbering.label(numbered(properties), style)
        line = self._runs.read(paragraph)
        text = carried + line.text
        level = self._level(properties, style) if len(text) <= LONGEST_HEADING else 0
        if text.strip():
            text = f"{label} {text.lstrip()}" if label else text
        if level or line.boxes:
            yield Paragraph(text, level)
            yield from self._beside(line.asides, line.boxes)
        else:
            yield Paragraph("\n".join([text, *line.asides]))

    def _beside(self, asides: list[str], boxes: list[Element]) -> Iterator[Block]:
        if asides:
            yield Paragraph("\n".join(asides))
        for box in boxes:
            yield from self.read(pieces(box))

    def _level(self, properties: Element | None, style: str) -> int:
        outline = number(value(properties, "outlineLvl"))
        if outline is None:
            return self._styles.heading_level(style)
        return outline + 1 if 0 <= outline < 9 else 0

    def _row(self, row: Element) -> Row:
        properties = row.find(f"{W}trPr")
        before = number(value(properties, "gridBefore")) or 0
        cells = [Cell([], before)] if 0 < before < 100 else []
        cells += [self._cell(cell) for cell in _cells(row)]
        return Row(cells, properties is not None and properties.find(f"{W}tblHeader") is not None)

    def _cell(self, cell: Element) -> Cell:
        properties = cell.find(f"{W}tcPr")
        if properties is not None and properties.find(f"{W}cellDel") is not None:
            return Cell([])
        merge = properties.find(f"{W}vMerge") if properties is not None else None
        kind = merge.get(f"{W}val", "continue") if merge is not None else ""
        columns = min(max(number(value(properties, "gridSpan")) or 1, 1), 100)
        return Cell(list(self.read(pieces(cell))), columns, kind == "continue", kind == "restart")


def _cells(row: Element) -> Iterator[Element]:
    """The cells of a row, also those in content controls."""
    for child in row:
        if child.tag == CELL:
            yield child
        elif child.tag not in LEFT_OUT:
            yield from _cells(child)


def _runs_on(paragraph: Element) -> bool:
    """Whether the paragraph's end was deleted or moved away, or it is the large first letter of the next."""
    properties = paragraph.find(f"{W}pPr")
    if properties is None:
        return False
    mark = properties.find(f"{W}rPr")
    if mark is not None and (mark.find(f"{W}del") is not None or mark.find(f"{W}moveFrom") is not None):
        return True
    frame = properties.find(f"{W}framePr")
    return frame is not None and frame.get(f"{W}dropCap", "none") != "none"
