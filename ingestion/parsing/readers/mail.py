"""E-mail (.eml): every text part and every mail in it, in their order; attachments by their own readers."""

from __future__ import annotations

import re
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from io import BytesIO
from pathlib import Path

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import BOMS, decode
from ingestion.parsing.readers import tnef
from ingestion.parsing.readers.attachments import Attachments
from ingestion.parsing.readers.mail_headers import charset_of, file_name, header, sent, text_of
from ingestion.parsing.readers.text import add_plain
from ingestion.parsing.readers.webpage import add_html
from ingestion.parsing.types import ParseError

# Tracking links are long, and nobody searches for them.
LINKS = re.compile(r"<https?://[^<>\s]{1,4000}>|\[https?://[^\[\]\s]{1,4000}\]")
HEADERS = ("Subject", "From", "To", "Cc", "Date")
TNEF_TYPES = {"application/ms-tnef", "application/vnd.ms-tnef"}
TAGS = re.compile(r"<(?:style|script)\b.*?</(?:style|script)>|<[^>]{0,5000}>", re.IGNORECASE | re.DOTALL)
STUB = 0.3  # of the HTML's words: a shorter plain text is no equal of it
MOST_PARTS = 2000
MOST_BOUNDARIES = 50_000  # lines that may part two parts, each of which would take memory
SIGNATURES = {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}


def read(path: Path, builder: TextBuilder) -> None:
    message = _parsed(path)
    builder.title = header(message, "Subject")
    builder.date = sent(message)
    _Mail(builder, Attachments(builder)).add(message)


def _parsed(path: Path) -> Message:
    parser: BytesParser[Message] = BytesParser(policy=compat32)
    with path.open("rb") as file:
        if sum(line.startswith(b"--") for line in file) > MOST_BOUNDARIES:
            raise ParseError("too_complex")
        file.seek(0)
        head = file.read(100)
        if any(head.startswith(mark) for mark, _ in BOMS) or b"\0" in head:
            return parser.parse(BytesIO(decode(path.read_bytes()).encode("utf-8", "replace")))
        file.seek(0)
        return parser.parse(file)


class _Mail:
    """Adds a mail's headers, then its parts as they come; attachments come after all text."""

    def __init__(self, builder: TextBuilder, attachments: Attachments) -> None:
        self._builder = builder
        self._attachments = attachments
        self._parts = 0
        self._charset = ""

    def add(self, message: Message) -> None:
        subject = header(message, "Subject")
        lines = [f"{name}: {value}" for name in HEADERS if (value := header(message, name))]
        files = [part for part in message.walk() if not part.is_multipart() and _is_file(part)]
        names = [
            name for part in files if (name := file_name(part)) and part.get_content_type() not in SIGNATURES
        ]
        if names:
            lines.append("Attachments: " + ", ".join(names))
        self._builder.paragraph("\n".join(lines))
        self._charset = charset_of(message)
        later: list[Message] = []
        self._add_part(message, later)
        for part in later:
            self._add_file(part, subject)

    def _add_part(self, part: Message, later: list[Message]) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            self._builder.warn(f"Only the first {MOST_PARTS} parts of this mail were read.")
            return
        kind = part.get_content_type()
        inner = _inner(part)
        if kind == "message/rfc822" or (kind == "message/global" and inner):
            for message in inner:
                self._add_forwarded(message)
        elif inner:
            chosen = _alternative(inner, self._charset) if kind == "multipart/alternative" else None
            for child in inner:
                is_rest = (
                    chosen is not None and child is not chosen and child.get_content_maintype() == "text"
                )
                if not is_rest:
                    self._add_part(child, later)
        elif _is_file(part) or not (kind.startswith("text/") or kind.startswith("message/")):
            later.append(part)
        elif kind == "text/html":
            add_html(_text(part, self._charset).encode("utf-8", "replace"), self._builder)
        else:
            add_plain(LINKS.sub("", _text(part, self._charset)), self._builder)

    def _add_forwarded(self, message: Message) -> None:
        subject = header(message, "Subject")
        if not self._attachments.may_go_deeper(subject):
            return
        self._builder.heading(2, subject or "Forwarded message")
        self._attachments.depth += 1
        outer = self._charset
        self.add(message)
        self._charset = outer
        self._attachments.depth -= 1

    def _add_file(self, part: Message, subject: str) -> None:
        name, kind = file_name(part), part.get_content_type()
        data = part.get_payload(decode=True)
        part.set_payload("")  # its memory is wanted for what comes next
        if not isinstance(data, bytes):
            return
        if kind in TNEF_TYPES or name.lower() == "winmail.dat":
            tnef.add(data, subject, self._builder, self._attachments)
        else:
            self._attachments.add(name, kind, data, subject)


def _inner(part: Message) -> list[Message]:
    """The parts of a multipart, the mail of a forwarded one, nothing of others."""
    payload = part.get_payload()
    return [inner for inner in payload if isinstance(inner, Message)] if isinstance(payload, list) else []


def _is_file(part: Message) -> bool:
    disposition = header(part, "Content-Disposition").lower()
    return disposition.startswith("attachment") or bool(file_name(part))


def _alternative(parts: list[Message], charset: str) -> Message:
    """The plain text, but where the HTML or what holds it says much more."""
    plain = next((part for part in parts if part.get_content_type() == "text/plain"), None)
    rich = next((p for p in reversed(parts) if p.is_multipart() or p.get_content_type() == "text/html"), None)
    if plain is None or rich is None:
        return next((part for part in (plain, rich) if part is not None), parts[-1])
    page = next((part for part in rich.walk() if part.get_content_type() == "text/html"), None)
    full = len(TAGS.sub(" ", _text(page, charset)).split()) if page is not None else 0
    return plain if len(_text(plain, charset).split()) >= STUB * full else rich


def _text(part: Message, charset: str) -> str:
    """A body by its declared character set where that fits."""
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    own = part.get_content_charset("") or charset
    return text_of(data, own)
