"""A PDF file's pages: their blocks in reading order, with notes and form values in their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import pypdfium2
import pypdfium2.raw as pdfium

from ingestion.parsing.pdf.blocks import Block, Line
from ingestion.parsing.pdf.columns import regions
from ingestion.parsing.pdf.frames import Frame
from ingestion.parsing.pdf.grids import take_grids
from ingestion.parsing.pdf.lines import segments
from ingestion.parsing.pdf.notes import words_and_notes
from ingestion.parsing.pdf.paragraphs import blocks_of
from ingestion.parsing.pdf.rules import Rules, rules_of
from ingestion.parsing.pdf.scans import Scanner
from ingestion.parsing.pdf.words import DIAGONAL, Bold, PageText, Word, words_of
from ingestion.parsing.types import ParseError

ENCRYPTED = (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY)
MOST_BOOKMARKS = 20_000
LEAST_WORDS = 6  # of a table


@dataclass(slots=True)
class Flow:
    """The blocks of a page that read in one direction; `frame` says how their boxes lie on the page."""

    frame: Frame
    blocks: list[Block]


@dataclass(slots=True)
class PageContent:
    """A page. `shown`: as people see it; `drawn`: there is something on it, if only a picture."""

    number: int
    shown: Frame
    flows: list[Flow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    drawn: bool = False

    @property
    def blocks(self) -> list[Block]:
        return [block for flow in self.flows for block in flow.blocks]


class PdfFile:
    """An open PDF. Raises `ParseError`: `encrypted`, `corrupt`."""

    def __init__(self, path: Path) -> None:
        try:
            # Opened here, for pdfium follows links, and an attachment is a file in memory behind one.
            self._document = pypdfium2.PdfDocument(path.open("rb"), autoclose=True)
            if self._document.get_formtype() != pypdfium2.raw.FORMTYPE_NONE:
                self._document.init_forms()
        except pypdfium2.PdfiumError as error:
            raise ParseError("encrypted" if error.err_code in ENCRYPTED else "corrupt") from error

    def __enter__(self) -> PdfFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._document.close()

    def __len__(self) -> int:
        return len(self._document)

    @property
    def metadata(self) -> dict[str, str]:
        facts: dict[str, str] = self._document.get_metadata_dict()
        return facts

    def outline(self) -> Iterator[tuple[int, str, int]]:
        """Level from 1, title and page number of each bookmark that leads to a page."""
        for number, mark in enumerate(self._document.get_toc()):
            if number >= MOST_BOOKMARKS:
                return
            target = mark.get_dest()
            page = target.get_index() if target else None
            if page is not None:
                yield mark.level + 1, " ".join(mark.get_title().split()), page + 1

    def pages(self, scanner: Scanner) -> Iterator[PageContent]:
        """Every page; one that is damaged comes empty, one without text as `scanner` reads it."""
        form = self._document.formenv.raw if self._document.formenv else None
        for number in range(len(self)):
            try:
                page = self._document[number]
            except pypdfium2.PdfiumError:
                yield PageContent(number + 1, Frame((0, 0, 1, 1), 0), drawn=True)
                continue
            try:
                yield _read(page, number + 1, form, scanner)
            finally:
                page.close()


def _read(
    page: pypdfium2.PdfPage, number: int, form: pdfium.FPDF_FORMHANDLE, scanner: Scanner
) -> PageContent:
    left, bottom, right, top = page.get_bbox()
    if not (right > left and top > bottom):
        left, bottom, right, top = 0.0, 0.0, 612.0, 792.0
    shown = Frame((left, bottom, right, top), page.get_rotation() % 360)
    content = PageContent(number, shown)
    placed, content.notes = words_and_notes(page.raw, form, shown)
    text = PageText(page.raw)
    try:
        found = words_of(text, shown)
        if placed:
            found.setdefault(0, []).extend(placed)
        content.drawn = bool(pdfium.FPDFPage_CountObjects(page.raw))
        for turned, words in sorted(found.items(), key=lambda item: -len(item[1])):
            frame = shown.turned(turned % DIAGONAL)
            rules = rules_of(page.raw, frame) if len(words) >= LEAST_WORDS else Rules()
            if turned == DIAGONAL:
                line = Line(" ".join(word.text for word in words), (0, 0, 0, 0), words[0].size)
                content.flows.append(Flow(frame, [Block([line])]))
            else:
                content.flows.append(flow_of(words, frame, rules, text.bold))
        if content.drawn and not content.flows and scanner.ready:
            scanned = scanner.page(page)
            if scanned:
                upright = Frame((0.0, 0.0, *shown.size), 0)
                content.shown = upright
                content.flows.append(flow_of(scanned, upright, Rules(), lambda _: False))
    finally:
        text.close()
    return content


def flow_of(words: list[Word], frame: Frame, rules: Rules, bold: Bold) -> Flow:
    """Words of one reading frame as blocks in reading order."""
    blocks: list[Block] = []
    words, grids = take_grids(words, rules, bold)
    for region in regions([*segments(words), *grids]):
        new = list(blocks_of(region, rules, bold))
        if blocks and new and _carries_on(blocks[-1], new[0]):
            blocks[-1].lines += new.pop(0).lines
        blocks += new
    return Flow(frame, blocks)


def _carries_on(before: Block, block: Block) -> bool:
    """Does a paragraph go on from the foot of one column to the head of the next?"""
    if before.table or block.table:
        return False
    last, first = before.lines[-1], block.lines[0]
    same = abs(last.size - first.size) < 0.08 * last.size and last.bold == first.bold
    open_end = last.text[-1].isalpha() or last.text[-1] in "-,"
    return same and open_end and not first.text[0].isupper() and first.text[0].isalpha()
