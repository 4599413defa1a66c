"""Old Word and PowerPoint files, and EPUB, by kreuzberg."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from kreuzberg import ExtractionResult

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.filetypes import DOC, PPT, FileType
from ingestion.parsing.readers.extraction import extract, metadata
from ingestion.parsing.readers.markdown import add_markdown
from ingestion.parsing.readers.ole import extract_ole
from ingestion.parsing.readers.packages import Package
from ingestion.parsing.readers.text import add_plain

# Instructions that Word keeps beside the text that they made.
FIELD_CODES = re.compile(
    r"\s?\b(?:HYPERLINK\s+(?:\\l\s+)?\"[^\"\n]{0,2000}\"(?:\s+\\[a-z](?:\s+\"[^\"\n]{0,300}\")?)*"
    r"|PAGEREF\s+_?\w+(?:\s+\\h)?|TOC(?:\s+\\[a-z](?:\s+\"[^\"\n]{0,50}\")?)+"
    r"|MERGEFORMAT|FORMTEXT|FORMCHECKBOX|FORMDROPDOWN|SEQ\s+\w+\s+\\\* ARABIC)[ \t]?"
)
# What an empty slide master says.
MASTER_TEXT = re.compile(
    r"^(?:Click to edit (?:the )?(?:Master|title|outline).*|(?:Second|Third|Fourth|Fifth) level"
    r"|마스터 (?:제목|텍스트|부제목) 스타일.*|(?:둘째|셋째|넷째|다섯째) 수준)$",
    re.MULTILINE | re.IGNORECASE,
)


def read_package(path: Path, builder: TextBuilder, kind: FileType) -> None:
    """EPUB."""
    with Package(path, builder.limits) as package:
        package.check()
    _read_markdown(path, kind, builder)


def read_doc(path: Path, builder: TextBuilder) -> None:
    result = extract_ole(path, DOC, "plain")
    _describe(result, builder)
    add_plain(FIELD_CODES.sub(" ", result.content), builder)


def read_ppt(path: Path, builder: TextBuilder) -> None:
    result = extract_ole(path, PPT, "plain")
    _describe(result, builder)
    add_plain(MASTER_TEXT.sub("", result.content), builder)


def _read_markdown(path: Path, kind: FileType, builder: TextBuilder) -> None:
    result = extract(path, kind.content_type, "markdown")
    _describe(result, builder)
    add_markdown(result.content, builder)


def _describe(result: ExtractionResult, builder: TextBuilder) -> None:
    facts: dict[str, Any] = metadata(result)
    builder.title = facts.get("title") or ""
    builder.date = facts.get("modified_at") or facts.get("created_at") or ""
