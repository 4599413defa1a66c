"""PDF and Microsoft's formats, by the libraries that write them."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable
from html import escape

from docx import Document
from openpyxl import Workbook
from openpyxl.styles import Font
from pptx import Presentation
from pptx.util import Inches, Pt
from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table
from source import AUTHOR, Source
from zipped import zipped


def make_pdf(source: Source) -> bytes:
    """Korean is set in Adobe's HYGothic, which every reader of PDF replaces by a font of its own."""
    os.environ["SOURCE_DATE_EPOCH"] = str(int(source.date.timestamp()))
    plain, bold = "Helvetica", "Helvetica-Bold"
    if source.language == "ko":
        plain = bold = "HYGothic-Medium"
        pdfmetrics.registerFont(UnicodeCIDFont(plain))
    body = ParagraphStyle("body", fontName=plain, fontSize=10.5, leading=15.5, spaceAfter=7)
    item = ParagraphStyle("item", body, leftIndent=14, bulletIndent=3, spaceAfter=3)
    headings = {
        level: ParagraphStyle(
            f"h{level}", fontName=bold, fontSize=size, leading=size + 5, spaceBefore=9, spaceAfter=6
        )
        for level, size in ((1, 20), (2, 15), (3, 12))
    }
    grid = [
        ("GRID", (0, 0), (-1, -1), 0.4, colors.grey),
        ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
    story = [Paragraph(escape(source.title), headings[1])]
    for block in source.blocks:
        match block.kind:
            case "heading":
                story.append(Paragraph(escape(block.text), headings[block.level]))
            case "item":
                story.append(Paragraph(escape(block.text), item, bulletText="•"))
            case "table":
                rows = [[Paragraph(escape(cell), body) for cell in row] for row in block.rows]
                story += [Table(rows, style=grid, repeatRows=1), Spacer(1, 8)]
            case "page":
                story.append(PageBreak())
            case _:
                story.append(Paragraph(escape(block.text), body))
    out = io.BytesIO()
    pdf = SimpleDocTemplate(
        out, title=source.title, author=AUTHOR, creator=AUTHOR, subject="", lang=source.language, invariant=1
    )

    def number_page() -> None:
        pdf.canv.setFont(plain, 8)
        pdf.canv.drawCentredString(298, 34, f"{AUTHOR} · {pdf.page}")

    pdf.afterPage = number_page
    pdf.build(story)
    return out.getvalue()


def make_docx(source: Source) -> bytes:
    document = Document()
    describe(document.core_properties, source)
    document.add_heading(source.title, 0)
    for block in source.blocks:
        match block.kind:
            case "heading":
                document.add_heading(block.text, block.level - 1)
            case "item":
                document.add_paragraph(block.text, style="List Bullet")
            case "table":
                table = document.add_table(0, len(block.rows[0]), style="Table Grid")
                for row in block.rows:
                    for cell, text in zip(table.add_row().cells, row, strict=True):
                        cell.text = text
            case "page":
                document.add_page_break()
            case _:
                document.add_paragraph(block.text)
    return saved(document.save, source)


def make_pptx(source: Source) -> bytes:
    """A title slide, then one slide for each `##` heading, with either a table or text."""
    deck = Presentation()
    describe(deck.core_properties, source)
    slide = deck.slides.add_slide(deck.slide_layouts[0])
    slide.shapes.title.text = source.title
    slide.placeholders[1].text = f"{AUTHOR} · {source.date:%Y-%m-%d}"
    for block in source.blocks:
        if block.kind == "heading":
            slide = deck.slides.add_slide(deck.slide_layouts[1])
            slide.shapes.title.text = block.text
            slide.placeholders[1].text_frame.word_wrap = True
        elif block.kind == "table":
            body = slide.placeholders[1]
            left, top, width, height = body.left, body.top, body.width, Inches(2)
            body.element.getparent().remove(body.element)
            rows = block.rows
            table = slide.shapes.add_table(len(rows), len(rows[0]), left, top, width, height).table
            for r, row in enumerate(rows):
                for c, text in enumerate(row):
                    table.cell(r, c).text = text
        else:
            frame = slide.placeholders[1].text_frame
            paragraph = frame.add_paragraph() if frame.text else frame.paragraphs[0]
            paragraph.text, paragraph.font.size = block.text, Pt(18)
    return saved(deck.save, source)


def make_xlsx(source: Source) -> bytes:
    """One sheet for each `##` heading; a cell that reads as a number is one."""
    book = Workbook()
    book.remove(book.active)
    book.properties.title, book.properties.creator = source.title, AUTHOR
    book.properties.created = source.date.replace(tzinfo=None)
    for block in source.blocks:
        if block.kind == "heading":
            sheet = book.create_sheet(block.text)
            sheet.append([source.title])
            sheet.column_dimensions["A"].width, sheet.column_dimensions["B"].width = 18, 46
        elif block.kind == "table":
            for row in block.rows:
                sheet.append([float(cell) if re.fullmatch(r"\d+(\.\d+)?", cell) else cell for cell in row])
            for cell in sheet[sheet.max_row - len(block.rows) + 1]:
                cell.font = Font(bold=True)
        else:
            sheet.append([block.text])
    return saved(book.save, source)


def describe(properties, source: Source) -> None:  # type: ignore[no-untyped-def]
    properties.title, properties.author, properties.last_modified_by = source.title, AUTHOR, AUTHOR
    properties.created = properties.modified = source.date.replace(tzinfo=None)
    properties.language, properties.comments = source.language, ""


def saved(save: Callable[[io.BytesIO], None], source: Source) -> bytes:
    """An office file zipped again, with the source's date wherever the library wrote today's."""
    out = io.BytesIO()
    save(out)
    with zipfile.ZipFile(out) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    stamp = rf"\g<1>{source.date:%Y-%m-%dT%H:%M:%SZ}".encode()
    core = files["docProps/core.xml"]
    files["docProps/core.xml"] = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", stamp, core)
    return zipped(files, source)
