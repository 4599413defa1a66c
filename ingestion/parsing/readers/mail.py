"""E-mail: .eml by the standard library, Outlook's .msg by kreuzberg."""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import BOMS, decode
from ingestion.parsing.filetypes import MSG
from ingestion.parsing.readers.extraction import extract, metadata
from ingestion.parsing.readers.text import add_plain
from ingestion.parsing.readers.webpage import add_html

# Tracking links are long, and nobody searches for them.
LINKS = re.compile(r"<https?://[^<>\s]{1,4000}>|\[https?://[^\[\]\s]{1,4000}\]")
HEADERS = ("Subject", "From", "To", "Cc", "Date")


def read_eml(path: Path, builder: TextBuilder) -> None:
    data = path.read_bytes()
    if any(data.startswith(mark) for mark, _ in BOMS) or b"\0" in data[:100]:
        data = decode(data).encode("utf-8", "replace")
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    builder.title = _header(message, "Subject")
    sent = message.get("Date")
    if sent is not None and getattr(sent, "datetime", None):
        builder.date = sent.datetime.isoformat()
    lines = [f"{name}: {value}" for name in HEADERS if (value := _header(message, name))]
    attached = [name for part in message.walk() if (name := _file_name(part))]
    if attached:
        lines.append("Attachments: " + ", ".join(attached))
    builder.paragraph("\n".join(lines))
    _add_body(message, builder)


def read_msg(path: Path, builder: TextBuilder) -> None:
    result = extract(path, MSG.content_type, "plain")
    facts = metadata(result)
    builder.title = facts.get("subject") or ""
    builder.date = facts.get("created_at") or ""
    add_plain(LINKS.sub("", result.content), builder)


def _add_body(message: EmailMessage, builder: TextBuilder) -> None:
    """The text, plain where there is a choice; an attached message is read in turn."""
    body = message.get_body(("plain", "html"))
    for part in [body] if body is not None else []:
        data = part.get_payload(decode=True)
        if isinstance(data, bytes):
            if part.get_content_subtype() == "html":
                add_html(_recoded(part, data), builder)
            else:
                add_plain(LINKS.sub("", _recoded(part, data).decode()), builder)


def _recoded(part: Message, data: bytes) -> bytes:
    """A body in UTF-8, by its declared charset where that fits."""
    charset = part.get_content_charset("")
    try:
        return data.decode(charset or "ascii").encode()
    except (LookupError, ValueError):
        return decode(data).encode("utf-8", "replace")


def _header(message: Message, name: str) -> str:
    try:
        return " ".join(str(message.get(name) or "").split())
    except (ValueError, IndexError, AttributeError):  # the library's parser of headers fails on some
        return ""


def _file_name(part: Message) -> str:
    try:
        return part.get_filename() or ""
    except (ValueError, LookupError, AttributeError):
        return ""
