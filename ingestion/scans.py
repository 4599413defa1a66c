"""Documents with pages that are pictures: read once more, by OCR, where it is installed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from django.conf import settings

from ingestion.parsing import ParsedDocument, ParseError, ParseLimits, parse
from ingestion.parsing.filetypes import IMAGES, PDF
from ingestion.parsing.ocr import engine

# Below the time limit of a task. Models of OCR take address space.
OCR_LIMITS = replace(ParseLimits(), wall_seconds=540, cpu_seconds=520, memory=6 << 30)
SCANNED = {PDF.content_type, *(kind.content_type for kind in IMAGES)}


def parse_document(path: Path, content_type: str) -> ParsedDocument:
    """Parse a file; by OCR only what has pages without text, because that takes seconds a page.

    Pages that OCR cannot read, or not in time, stay unread, and the document's warnings say so.
    """
    parsed: ParsedDocument | None = None
    try:
        parsed = parse(path, content_type)
        if not parsed.unread:
            return parsed
    except ParseError as error:
        if error.code != "no_text" or not _by_ocr(content_type):
            raise
    if not _by_ocr(content_type):
        assert parsed
        return parsed
    try:
        return parse(path, content_type, limits=OCR_LIMITS, ocr=settings.OCR_LANGUAGES)
    except ParseError:
        if parsed is None:
            raise
        return parsed


def _by_ocr(content_type: str) -> bool:
    return content_type in SCANNED and bool(engine(settings.OCR_LANGUAGES))
