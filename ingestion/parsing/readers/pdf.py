"""PDF, by the geometry of its pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ingestion.parsing.boxes import LineBox
from ingestion.parsing.builder import TextBuilder, row_text
from ingestion.parsing.pdf.blocks import Block
from ingestion.parsing.pdf.headings import mark_headings
from ingestion.parsing.pdf.joining import Joiner
from ingestion.parsing.pdf.pages import Flow, PageContent, PdfFile
from ingestion.parsing.pdf.running import drop_repeated
from ingestion.parsing.pdf.scans import Scanner
from ingestion.parsing.pdf.tables import carry_headers
from ingestion.parsing.types import ParseError


def read(path: Path, builder: TextBuilder) -> None:
    """All pages' text in reading order, then their notes.

    1. Words with their places become the blocks of each page.
    2. All pages together tell repeated lines, headings and tables that go on.
    3. The document's own words tell how its lines are joined.
    """
    with PdfFile(path) as file:
        if len(file) > builder.limits.pages:
            raise ParseError("too_complex")
        facts = file.metadata
        builder.title = facts.get("Title", "")
        builder.date = facts.get("CreationDate") or facts.get("ModDate") or ""
        outline = list(file.outline())
        scanner = Scanner(builder.ocr, builder.limits.ocr_seconds)
        pages = list(file.pages(scanner))
    write(pages, outline, scanner, builder)


def write(
    pages: Sequence[PageContent],
    outline: Sequence[tuple[int, str, int]],
    scanner: Scanner,
    builder: TextBuilder,
) -> None:
    """Steps 2 and 3, and what was lost."""
    drop_repeated(pages)
    mark_headings(pages, outline)
    carry_headers(block for page in pages for block in page.blocks)
    joiner = Joiner(line for page in pages for block in page.blocks for line in block.lines)
    for page in pages:
        builder.page(page.number)
        for flow in page.flows:
            for block in flow.blocks:
                _add(block, flow, page, joiner, builder)
        builder.paragraph("\n".join(page.notes))
    builder.unread = sum(page.drawn and not page.flows for page in pages)
    if builder.unread:
        builder.warn(
            f"Pages without text: {builder.unread} of {len(pages)}. They are pictures; OCR can read them."
        )
    if scanner.unsure:
        builder.warn(f"OCR is unsure of what it read on {scanner.unsure} of {len(pages)} pages.")


def _add(block: Block, flow: Flow, page: PageContent, joiner: Joiner, builder: TextBuilder) -> None:
    lines = block.lines
    if block.table:
        for line in lines:
            line.cells = [joiner.cell(cell) for cell in line.cells]
        lines = [line for line in lines if row_text(line.cells)]
        rows = [row_text(line.cells) for line in lines]
        builder.table([line.cells for line in lines], header=block.header)
        text, spans = "\n".join(rows), _spans(rows)
    else:
        text, spans = joiner.text(lines)
        if block.level:
            text = text.replace("\n", " ")
            builder.heading(block.level, text)
        else:
            builder.paragraph(text)
    start = builder.length - len(text)
    for line, (first, last) in zip(lines, spans, strict=True):
        if line.box[2] > line.box[0] and last > first:
            box = flow.frame.fractions(line.box, page.shown)
            builder.line(LineBox(start + first, start + last, page.number, *box))


def _spans(rows: Sequence[str]) -> list[tuple[int, int]]:
    spans, start = [], 0
    for row in rows:
        spans.append((start, start + len(row)))
        start += len(row) + 1
    return spans
