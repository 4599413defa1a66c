"""Pages that are pictures: OCR's words, laid out as a PDF's own."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pypdfium2

from ingestion.parsing.builder import clean
from ingestion.parsing.ocr import MOST_PIXELS, OcrWord, engine, recognise
from ingestion.parsing.pdf.words import Word

if TYPE_CHECKING:
    from PIL.Image import Image

DPI = 300
UNSURE = 0.6  # the mean below which a page's text is said to be doubtful


class Scanner:
    """OCR of one document's pages, for as long as its time lasts."""

    def __init__(self, languages: tuple[str, ...], seconds: float) -> None:
        self._languages = languages if engine(languages) else ()
        self._deadline = time.monotonic() + seconds
        self.read = 0  # pages
        self.unsure = 0  # pages

    @property
    def ready(self) -> bool:
        return bool(self._languages) and time.monotonic() < self._deadline

    def page(self, page: pypdfium2.PdfPage) -> list[Word]:
        """The words of a page as it is shown, in points of the shown page."""
        width, height = page.get_size()
        scale = min(DPI / 72, (MOST_PIXELS / max(width * height, 1)) ** 0.5)
        return self.picture(page.render(scale=scale, grayscale=True).to_pil(), 1 / scale)

    def picture(self, image: Image, scale: float) -> list[Word]:
        """The words of a picture whose pixels are `scale` points wide.

        A crooked scan is set straight first, so that places are those on the straight page.
        """
        straight, found = recognise(image, self._languages)
        scale *= image.width / straight.width
        if found:
            self.read += 1
            self.unsure += sum(word.confidence for word in found) < UNSURE * len(found)
        return [word for each in found for word in _words(each, scale)]


def _words(found: OcrWord, scale: float) -> list[Word]:
    """A recognised word, or the words of a recognised line, each with its share of the width."""
    parts = clean(found.text).split()
    letters = sum(map(len, parts)) + len(parts) - 1
    height = (found.y1 - found.y0) * scale
    step = (found.x1 - found.x0) * scale / max(letters, 1)
    words, left = [], found.x0 * scale
    for part in parts:
        right = left + step * len(part)
        words.append(Word(part, left, right, found.y1 * scale - 0.2 * height, 0.8 * height))
        left = right + step
    return words
