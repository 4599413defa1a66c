"""The words of a page, each with its place in the frame that it reads in."""

from __future__ import annotations

import ctypes
import math
import re
import unicodedata
from array import array
from collections.abc import Callable, Iterator

import pypdfium2.raw as pdfium

from ingestion.parsing.builder import clean
from ingestion.parsing.pdf.frames import Frame

# PDFium puts U+FFFE in place of a hyphen at a line's end.
TOKEN = re.compile(r"[^\s\x00\x02\ufffe]+[\x02\ufffe]?|[\x02\ufffe]")
HYPHENS = str.maketrans({"\x02": "-", "\ufffe": "-", "\u2010": "-", "\u2011": "-"})
SKEW = math.radians(20)  # what leans more is neither upright nor sideways: a watermark
DIAGONAL = 4

Bold = Callable[[int], bool]  # is the character of this number bold?
WIDEST = 1.3  # ems a character of a word; beyond, a token holds a gap that PDFium did not see


class Word:
    """Text between spaces. `u0`, `u1`: left and right; `v`: baseline; `size`: of the font; all in points."""

    __slots__ = ("at", "size", "spaced", "text", "u0", "u1", "v")

    def __init__(
        self, text: str, u0: float, u1: float, v: float, size: float, at: int = -1, spaced: bool = False
    ) -> None:
        self.text, self.u0, self.u1, self.v, self.size = text, u0, u1, v, size
        self.at = at  # number of its first character on the page, -1 for what is no page content
        self.spaced = spaced  # a space of the file's own follows


class PageText:
    """A page's characters, as PDFium tells them apart. Close it by `close`."""

    def __init__(self, page: pdfium.FPDF_PAGE) -> None:
        self.raw = pdfium.FPDFText_LoadPage(page)
        self.count = max(pdfium.FPDFText_CountChars(self.raw), 0) if self.raw else 0
        self._box = pdfium.FS_RECTF()
        self._matrix = pdfium.FS_MATRIX()
        self._x, self._y = ctypes.c_double(), ctypes.c_double()
        self.text = self._read()

    def _read(self) -> str:
        buffer = ctypes.create_string_buffer(2 * self.count + 2)
        pdfium.FPDFText_GetText(self.raw, 0, self.count, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)))
        # One unit of UTF-16 a character, so that numbers agree; `_clean` joins the pairs of higher planes.
        units = array("H")
        units.frombytes(buffer.raw[: 2 * self.count])
        return "".join(map(chr, units))

    def edges(self, number: int, frame: Frame) -> tuple[float, float]:
        """Left and right of a character with its side bearings."""
        box = self._box
        pdfium.FPDFText_GetLooseCharBox(self.raw, number, box)
        u0, _ = frame.point(box.left, box.bottom)
        u1, _ = frame.point(box.right, box.top)
        return (u0, u1) if u0 <= u1 else (u1, u0)

    def baseline(self, number: int, frame: Frame) -> tuple[float, float]:
        pdfium.FPDFText_GetCharOrigin(self.raw, number, self._x, self._y)
        return frame.point(self._x.value, self._y.value)

    def style(self, number: int) -> tuple[float, float]:
        """Angle in radians, counter-clockwise, and size in points."""
        matrix = self._matrix
        size: float = pdfium.FPDFText_GetFontSize(self.raw, number)
        if not pdfium.FPDFText_GetMatrix(self.raw, number, matrix):
            return 0.0, size or 1.0
        scaled = abs(size) * math.hypot(matrix.c, matrix.d)
        return math.atan2(matrix.b, matrix.a), min(max(scaled, 0.5), 2000.0)

    def bold(self, number: int) -> bool:
        if number < 0:
            return False
        name, flags = ctypes.create_string_buffer(128), ctypes.c_int()
        pdfium.FPDFText_GetFontInfo(self.raw, number, name, 128, flags)
        lower = name.value.lower()
        if b"bold" in lower or b"black" in lower or b"heavy" in lower:
            return True
        return bool(pdfium.FPDFText_GetFontWeight(self.raw, number) >= 700)

    def close(self) -> None:
        if self.raw:
            pdfium.FPDFText_ClosePage(self.raw)


def words_of(page: PageText, shown: Frame) -> dict[int, list[Word]]:
    """Words by the quarter turns that make them upright, in the order in which the file draws them.

    What lies outside the visible page is left out.
    """
    found: dict[int, list[Word]] = {}
    frames = [shown.turned(quarters) for quarters in range(4)]
    text = page.text
    for match in TOKEN.finditer(text):
        start, end = match.span()
        angle, size = page.style(start)
        lean = angle - math.radians(shown.turn)
        quarters = round(lean / (math.pi / 2)) % 4
        content = _clean(match.group())
        if not content:
            continue
        if abs(math.remainder(lean, math.pi / 2)) > SKEW:
            found.setdefault(DIAGONAL, []).append(Word(content, 0, 0, 0, size, start))
            continue
        spaced = text[end : end + 1] == " "
        for turned, word in _words(page, start, end, content, size, frames, quarters):
            width, height = frames[turned].size
            if word.u1 > 0 and word.u0 < width and word.v > 0 and word.v - word.size < height:
                word.spaced = spaced
                found.setdefault(turned, []).append(word)
    return found


def _words(
    page: PageText, start: int, end: int, content: str, size: float, frames: list[Frame], quarters: int
) -> Iterator[tuple[int, Word]]:
    """A token as one word; in parts where its characters do not stand side by side."""
    frame = frames[quarters]
    _, v = page.baseline(start, frame)
    u0, u1 = page.edges(start, frame)
    if end - start == 1:
        yield quarters, Word(content, u0, u1, v, size, start)
        return
    last = end - 1
    last0, last1 = page.edges(last, frame)
    _, last_v = page.baseline(last, frame)
    if abs(last_v - v) <= 0.6 * size and max(u1, last1) - min(u0, last0) <= WIDEST * size * (end - start):
        yield quarters, Word(content, min(u0, last0), max(u1, last1), v, size, start)
        return
    if abs(last0 - u0) < 0.6 * size and last_v - v > 0.5 * size * (end - start - 1):
        down = (quarters + 3) % 4  # vertical writing: columns from right to left
        _, middle = page.baseline(start, frames[down])
        top, _ = page.edges(start, frames[down])
        _, bottom = page.edges(last, frames[down])
        yield down, Word(content, top, bottom, middle + size / 2, size, start)
        return
    for word in _apart(page, start, end, size, frame):
        yield quarters, word


def _apart(page: PageText, start: int, end: int, size: float, frame: Frame) -> Iterator[Word]:
    """The characters of a token, put together as far as they stand side by side."""
    current: Word | None = None
    for number in range(start, end):
        char = _clean(page.text[number])
        if not char:
            continue
        _, v = page.baseline(number, frame)
        u0, u1 = page.edges(number, frame)
        if current and abs(v - current.v) <= 0.6 * size and -size < u0 - current.u1 < 0.3 * size:
            current.text += char
            current.u0, current.u1 = min(current.u0, u0), max(current.u1, u1)
            continue
        if current:
            yield current
        current = Word(char, u0, u1, v, size, number)
    if current:
        yield current


def _clean(text: str) -> str:
    """Text with ligatures and compatibility forms of letters spelled out."""
    if text.isascii() and text.isprintable():
        return text
    text = text.translate(HYPHENS)
    if any("\ud800" <= char <= "\udfff" for char in text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if any("\ufb00" <= c <= "\ufdff" or "\ufe70" <= c <= "\ufefc" or "\u2f00" <= c <= "\u2fdf" for c in text):
        text = unicodedata.normalize("NFKC", text)
    return clean(text)
