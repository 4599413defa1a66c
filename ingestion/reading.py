"""What Quarry reads of a file, as the document path does, without storing anything."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files import File

from ingestion.chunking import chunk
from ingestion.documents import check_size, safe_path
from ingestion.parsing import ParsedDocument, ParseError, ParseLimits, ParserCrashedError
from ingestion.parsing.archives import archive_members
from ingestion.parsing.filetypes import ZIP
from ingestion.parsing.uploads import check_upload, detect
from ingestion.scans import parse_document
from library.errors import RefusedError
from library.titles import readable


def read_file(path: Path) -> dict[str, Any]:
    """Text, facts, warnings and passages of a file, or its `error`; of an archive also its `members`."""
    try:
        if detect(path.name) is ZIP:
            return _archive(path)
    except RefusedError as error:
        return _answer(path.name, error={"code": error.code, "message": error.message})
    return _document(path, path.name)


def _archive(path: Path) -> dict[str, Any]:
    members: list[dict[str, Any]] = []
    answer = {**_answer(safe_path(path.name), ZIP.label), "members": members}
    try:
        for name, content in archive_members(path, ParseLimits()):
            with tempfile.NamedTemporaryFile() as file:  # the parser's process opens it by its path
                file.write(content())
                file.flush()
                members.append(_document(Path(file.name), name))
    except RefusedError as error:
        answer["error"] = {"code": error.code, "message": error.message}
    return answer


def _document(path: Path, name: str) -> dict[str, Any]:
    label = ""
    try:
        with path.open("rb") as content:
            name = safe_path(name)
            check_size(File(content))
            kind = check_upload(name, content)
        label = kind.label
        return _answer(name, label, parse_document(path, kind.content_type))
    except (RefusedError, ParseError) as error:
        return _answer(name, label, error={"code": error.code, "message": error.message})
    except ParserCrashedError as error:
        return _answer(name, label, error={"code": "parser_crashed", "message": str(error)})


def _answer(
    name: str, label: str = "", parsed: ParsedDocument | None = None, error: dict[str, str] | None = None
) -> dict[str, Any]:
    document = parsed or ParsedDocument("")
    return {
        "name": name,
        "type": label,
        "title": document.title or readable(name),
        "language": document.language,
        "date": document.date.isoformat() if document.date else None,
        "pages": len(document.pages) or None,
        "text": document.text,
        "warnings": list(document.warnings),
        "passages": [
            {"text": span.text, "page": span.page, "heading": span.heading}
            for span in chunk(document, words=settings.CHUNK_WORDS)
        ],
        "error": error,
    }
