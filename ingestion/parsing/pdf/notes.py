"""What stands on a page beside its own text: form values, notes, and text that annotations show."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import pypdfium2.raw as pdfium

from ingestion.parsing.builder import clean
from ingestion.parsing.pdf.frames import Frame
from ingestion.parsing.pdf.words import Word

SHOWN = (pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_FREETEXT)
SILENT = (pdfium.FPDF_ANNOT_POPUP, pdfium.FPDF_ANNOT_LINK)  # a pop-up shows its parent's text
HIDDEN = 1 << 1 | 1 << 5  # hidden, not to be viewed
PASSWORD = 1 << 13
TICK = "☒"
LINE_HEIGHT = 14.0  # points; a field of more is taken to have several lines
WIDTH = 0.5  # of a character, in ems
MOST = 10_000  # annotations of a page


def words_and_notes(
    page: pdfium.FPDF_PAGE, form: pdfium.FPDF_FORMHANDLE, frame: Frame
) -> tuple[list[Word], list[str]]:
    """Words that annotations show at their places, and the notes that open beside the page."""
    words: list[Word] = []
    notes: list[str] = []
    for number in range(min(pdfium.FPDFPage_GetAnnotCount(page), MOST)):
        with _opened(page, number) as note:
            kind = pdfium.FPDFAnnot_GetSubtype(note) if note else pdfium.FPDF_ANNOT_LINK
            if kind in SILENT or (kind in SHOWN and pdfium.FPDFAnnot_GetFlags(note) & HIDDEN):
                continue
            if kind == pdfium.FPDF_ANNOT_WIDGET:
                words += _placed(_value(note, form) if form else "", note, frame)
            elif kind == pdfium.FPDF_ANNOT_FREETEXT:
                words += _placed(_string(note, b"Contents"), note, frame)
            elif content := _string(note, b"Contents"):
                author = _string(note, b"T")
                notes.append(f"[{author}: {content}]" if author else f"[{content}]")
    return words, list(dict.fromkeys(notes))


@contextmanager
def _opened(page: pdfium.FPDF_PAGE, number: int) -> Iterator[pdfium.FPDF_ANNOTATION]:
    note = pdfium.FPDFPage_GetAnnot(page, number)
    try:
        yield note
    finally:
        if note:
            pdfium.FPDFPage_CloseAnnot(note)


def _value(note: pdfium.FPDF_ANNOTATION, form: pdfium.FPDF_FORMHANDLE) -> str:
    """What a form field shows; '' for buttons, and for passwords."""
    kind = pdfium.FPDFAnnot_GetFormFieldType(form, note)
    if kind in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        return TICK if pdfium.FPDFAnnot_IsChecked(form, note) else ""
    if kind in (pdfium.FPDF_FORMFIELD_COMBOBOX, pdfium.FPDF_FORMFIELD_LISTBOX):
        chosen = [
            _read(partial(pdfium.FPDFAnnot_GetOptionLabel, form, note, number))
            for number in range(max(pdfium.FPDFAnnot_GetOptionCount(form, note), 0))
            if pdfium.FPDFAnnot_IsOptionSelected(form, note, number)
        ]
        if any(chosen):
            return ", ".join(filter(None, chosen))
    elif kind != pdfium.FPDF_FORMFIELD_TEXTFIELD or pdfium.FPDFAnnot_GetFormFieldFlags(form, note) & PASSWORD:
        return ""
    return _read(partial(pdfium.FPDFAnnot_GetFormFieldValue, form, note))


def _string(note: pdfium.FPDF_ANNOTATION, key: bytes) -> str:
    return _read(partial(pdfium.FPDFAnnot_GetStringValue, note, key))


def _read(ask: Callable[[object, int], int]) -> str:
    """A UTF-16 text of which PDFium tells the size in bytes when it is asked without a buffer."""
    size = ask(None, 0)
    if size <= 2:
        return ""
    buffer = ctypes.create_string_buffer(size)
    ask(ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), size)
    return clean(buffer.raw[: size - 2].decode("utf-16-le", "replace"))


def _placed(text: str, note: pdfium.FPDF_ANNOTATION, frame: Frame) -> list[Word]:
    """The words of a text in its rectangle. Where each stands is not known: they are set from the left."""
    box = pdfium.FS_RECTF()
    if not text or not pdfium.FPDFAnnot_GetRect(note, box):
        return []
    left, top, right, bottom = frame.rectangle((box.left, box.bottom, box.right, box.top))
    lines = [line.split() for line in text.split("\n") if line.strip()]
    height = (bottom - top) / len(lines)
    size = min(max(0.7 * height, 4.0), 0.8 * LINE_HEIGHT)
    several = len(lines) > 1 or height > 2 * LINE_HEIGHT
    words: list[Word] = []
    for number, line in enumerate(lines):
        v = top + (number * LINE_HEIGHT + size if several else (height + 0.7 * size) / 2)
        v, u = min(v, bottom), left
        step = min(1.0, (right - left) / (WIDTH * size * sum(len(word) + 1 for word in line)))
        for word in line:
            width = WIDTH * size * len(word) * step
            words.append(Word(word, u, u + width, v, size))
            u += width + WIDTH * size * step
    return words
