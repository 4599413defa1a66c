"""Files to text. Real parsing happens in a child process with limits; nothing here knows Django."""

from __future__ import annotations

from ingestion.parsing.isolation import parse
from ingestion.parsing.types import (
    Heading,
    Page,
    ParsedDocument,
    ParseError,
    ParseLimits,
    ParserCrashedError,
    Table,
)

__all__ = [
    "Heading",
    "Page",
    "ParseError",
    "ParseLimits",
    "ParsedDocument",
    "ParserCrashedError",
    "Table",
    "parse",
]
