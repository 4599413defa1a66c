"""kreuzberg, with the settings and the error names that the readers share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kreuzberg import (
    ConcurrencyConfig,
    ContentFilterConfig,
    ExtractionConfig,
    ExtractionResult,
    KreuzbergError,
    LanguageDetectionConfig,
    PageConfig,
    extract_bytes_sync,
    extract_file_sync,
)

from ingestion.parsing.types import ParseError

REASONS = (
    ("encrypted", ("password", "encrypt", "protected")),
    ("too_complex", ("depth", "too deep", "nesting", "limit", "too large", "exceed", "too many")),
    ("unsafe_xml", ("dtd", "entity declaration")),
)


def extract(source: Path | bytes, content_type: str, output: str) -> ExtractionResult:
    """A file's or some bytes' content as "plain" or "markdown". Raises `ParseError`."""
    config = ExtractionConfig(
        use_cache=False,
        output_format=output,
        pages=PageConfig(extract_pages=True),
        concurrency=ConcurrencyConfig(max_threads=1),
        content_filter=ContentFilterConfig(include_headers=True, include_footers=False),
    )
    try:
        if isinstance(source, bytes):
            return extract_bytes_sync(source, content_type, config=config)
        return extract_file_sync(source, content_type, config=config)
    except KreuzbergError as error:
        raise _named(str(error)) from error
    except (RuntimeError, OSError, ValueError) as error:
        raise _named(str(error)) from error


def metadata(result: ExtractionResult) -> dict[str, Any]:
    return dict(result.metadata)


def detect_language(text: str) -> str:
    """ISO 639-3 code of an alphabetic text, or ''."""
    config = ExtractionConfig(
        use_cache=False,
        enable_quality_processing=False,
        language_detection=LanguageDetectionConfig(enabled=True, min_confidence=0.3),
    )
    found = extract_bytes_sync(text.encode(), "text/plain", config=config).detected_languages
    return found[0] if found else ""


def _named(message: str) -> ParseError:
    lower = message.lower()
    for code, words in REASONS:
        if any(word in lower for word in words):
            return ParseError(code)
    return ParseError("corrupt")
