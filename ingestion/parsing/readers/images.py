"""Pictures of pages, read by OCR alone: a frame of a TIFF is a page."""

from __future__ import annotations

from pathlib import Path

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.pdf.frames import Frame
from ingestion.parsing.pdf.pages import PageContent, flow_of
from ingestion.parsing.pdf.rules import Rules
from ingestion.parsing.pdf.scans import Scanner
from ingestion.parsing.readers.pdf import write
from ingestion.parsing.types import ParseError

MOST_PIXELS = 200_000_000


def read(path: Path, builder: TextBuilder) -> None:
    scanner = Scanner(builder.ocr, builder.limits.ocr_seconds)
    if not scanner.ready:
        raise ParseError("no_text")
    from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow refuses twice as many
    pages = []
    try:
        with Image.open(path, formats=("PNG", "JPEG", "TIFF", "WEBP")) as image:
            for number, frame in enumerate(ImageSequence.Iterator(image), 1):
                if number > builder.limits.pages:
                    raise ParseError("too_complex")
                shown = ImageOps.exif_transpose(frame)
                page = PageContent(number, Frame((0, 0, shown.width, shown.height), 0), drawn=True)
                if scanner.ready:
                    words = scanner.picture(shown, 1.0)
                    if words:
                        page.flows.append(flow_of(words, page.shown, Rules(), lambda _: False))
                pages.append(page)
    except Image.DecompressionBombError as error:
        raise ParseError("too_complex") from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise ParseError("corrupt") from error
    write(pages, [], scanner, builder)
