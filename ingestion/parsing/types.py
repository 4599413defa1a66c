"""What parsing gives: a document's text with its structure, or an error with a name."""

from __future__ import annotations

import base64
import datetime
from dataclasses import dataclass
from typing import Any, NamedTuple


class Page(NamedTuple):
    """A page, slide or sheet: its number from 1, and its place in the text."""

    number: int
    start: int
    end: int


class Heading(NamedTuple):
    """A heading of level 1 (outermost) to 6, and where its line starts in the text.

    An empty text has no line: it ends the sections before it, as a new slide does.
    """

    level: int
    text: str
    start: int


class Table(NamedTuple):
    """Rows of cells, a row a line, cells parted by " | ". The header is text[start:header_end], or empty."""

    start: int
    header_end: int
    end: int


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """The text that readers search and see; every offset counts characters of `text`."""

    text: str
    title: str = ""  # the document's own, empty where it has none
    language: str = ""  # ISO 639-1, empty where unknown
    date: datetime.date | None = None  # the document's own
    pages: tuple[Page, ...] = ()  # empty where the format has none
    headings: tuple[Heading, ...] = ()
    tables: tuple[Table, ...] = ()
    unread: int = 0  # pages that are pictures without text
    lines: bytes = b""  # where each line stands on its page, by `boxes.pack`; empty where that is unknown
    warnings: tuple[str, ...] = ()  # sentences: what was lost, left out or is hidden in its program

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "title": self.title,
            "language": self.language,
            "date": self.date.isoformat() if self.date else None,
            "pages": self.pages,
            "headings": self.headings,
            "tables": self.tables,
            "unread": self.unread,
            "lines": base64.b64encode(self.lines).decode(),
            "warnings": self.warnings,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> ParsedDocument:
        return cls(
            text=value["text"],
            title=value["title"],
            language=value["language"],
            date=datetime.date.fromisoformat(value["date"]) if value["date"] else None,
            pages=tuple(Page(*page) for page in value["pages"]),
            headings=tuple(Heading(*heading) for heading in value["headings"]),
            tables=tuple(Table(*table) for table in value["tables"]),
            unread=value["unread"],
            lines=base64.b64decode(value["lines"]),
            warnings=tuple(value["warnings"]),
        )


@dataclass(frozen=True, slots=True)
class ParseLimits:
    """What one document may cost. Sizes in bytes, times in seconds."""

    wall_seconds: float = 60
    cpu_seconds: int = 50
    memory: int = 336 << 20  # that the child may write to; its programs come on top, about 60 MB
    characters: int = 60_000_000  # of extracted text
    pages: int = 20_000
    table_rows: int = 500_000
    archive_entries: int = 10_000
    archive_bytes: int = 512 << 20  # actual, after inflating
    archive_ratio: int = 200  # inflated / packed, for what inflates to more than 8 MiB
    xml_depth: int = 500
    attachments: int = 50  # of one mail that are read, those of attached mails too
    attachment_bytes: int = 32 << 20  # of each
    mail_depth: int = 5  # of mails in mails
    ocr_seconds: float = 420  # later than this, the pages that are left stay unread


MESSAGES = {
    "encrypted": "The file is protected by a password. Save a copy without the password and upload that.",
    "corrupt": "The file is damaged or incomplete. Open it in its own program, save it again, upload that.",
    "too_complex": "The file is too large or too deeply nested to read. Split it into smaller files.",
    "no_text": "No text was found. For scans, ask an admin to switch on OCR (text recognition).",
    "unsafe_archive": "The archive unpacks to too much, or lies about its contents. Pack it anew.",
    "unsafe_xml": "The file's XML declares entities or a document type. Remove the DOCTYPE, upload it again.",
    "timeout": "Reading the file took too long. Split it into smaller files.",
}


class ParseError(Exception):
    """A document cannot be read, and never will be as it is. `code` is stable, `message` says what to do."""

    def __init__(self, code: str, message: str = "") -> None:
        self.code = code
        self.message = message or MESSAGES[code]
        super().__init__(self.message)


class ParserCrashedError(Exception):
    """The parser process ended for a reason that is not the document's fault: worth another attempt."""
