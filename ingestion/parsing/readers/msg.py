"""Outlook mails (.msg): MAPI properties in an OLE container (MS-OXMSG), attachments by their own readers.

Own code, because the libraries are under the GPL, or read neither RTF bodies nor code pages.
"""

from __future__ import annotations

import datetime
import struct
from pathlib import Path
from typing import Any

import compressed_rtf
import olefile

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import decode
from ingestion.parsing.readers.attachments import Attachments
from ingestion.parsing.readers.mail import LINKS
from ingestion.parsing.readers.mail_headers import text_of
from ingestion.parsing.readers.rtf import add_rtf
from ingestion.parsing.readers.rtf_codes import code_page
from ingestion.parsing.readers.text import add_plain
from ingestion.parsing.readers.webpage import add_html
from ingestion.parsing.types import ParseError

SUBJECT, BODY, HTML, RTF = 0x0037, 0x1000, 0x1013, 0x1009
SENDER, SENDER_ADDRESS, SENDER_SMTP, TO, CC = 0x0C1A, 0x0C1F, 0x5D01, 0x0E04, 0x0E03
SENT, RECEIVED, CREATED = 0x0039, 0x0E06, 0x3007
INTERNET_PAGE, MESSAGE_PAGE = 0x3FDE, 0x3FFD
LONG_NAME, SHORT_NAME, SHOWN_NAME, DATA, MIME = 0x3707, 0x3704, 0x3001, 0x3701, 0x370E
UNICODE, ANSI, BINARY, OBJECT = "001F", "001E", "0102", "000D"
EPOCH = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)
PROPERTY = struct.Struct("<HHI8s")


def read(path: Path, builder: TextBuilder) -> None:
    try:
        with olefile.OleFileIO(str(path)) as container:
            message = _Storage(container, [], header=32)
            builder.title = message.text(SUBJECT)
            builder.date = message.time(SENT) or message.time(RECEIVED) or message.time(CREATED)
            _add(message, builder, Attachments(builder))
    except (OSError, struct.error, IndexError) as error:  # olefile's errors are OSErrors
        raise ParseError("corrupt") from error


class _Storage:
    """The properties of a message or an attachment."""

    def __init__(self, container: Any, path: list[str], header: int) -> None:
        self.container, self.path = container, path
        self._fixed: dict[int, bytes] = {}
        data = self._stream("__properties_version1.0")
        for place in range(header, len(data) - PROPERTY.size + 1, PROPERTY.size):
            _, tag, _, value = PROPERTY.unpack_from(data, place)
            self._fixed[tag] = value
        page = self.number(MESSAGE_PAGE) or self.number(INTERNET_PAGE)
        self.page = code_page(page) if page else ""

    def text(self, tag: int) -> str:
        if data := self._property(tag, UNICODE):
            return data.decode("utf-16-le", "replace").strip("\0")
        data = self._property(tag, ANSI)
        return text_of(data, self.page).strip("\0") if data else ""

    def data(self, tag: int) -> bytes:
        return self._property(tag, BINARY)

    def number(self, tag: int) -> int:
        return int.from_bytes(self._fixed.get(tag, b"")[:4], "little")

    def time(self, tag: int) -> str:
        ticks = int.from_bytes(self._fixed.get(tag, b""), "little")
        try:
            return (EPOCH + datetime.timedelta(microseconds=ticks // 10)).isoformat() if ticks else ""
        except OverflowError:
            return ""

    def children(self, prefix: str) -> list[list[str]]:
        depth = len(self.path)
        names = {
            entry[depth]
            for entry in self.container.listdir()
            if entry[:depth] == self.path and len(entry) > depth + 1 and entry[depth].startswith(prefix)
        }
        return [[*self.path, name] for name in sorted(names)]

    def embedded(self) -> list[str] | None:
        """Where the mail lies that this attachment is."""
        found = self.children(f"__substg1.0_{DATA:04X}{OBJECT}")
        return found[0] if found else None

    def _property(self, tag: int, kind: str) -> bytes:
        return self._stream(f"__substg1.0_{tag:04X}{kind}")

    def _stream(self, name: str) -> bytes:
        path = [*self.path, name]
        if self.container.get_type(path) != olefile.STGTY_STREAM:
            return b""
        content: bytes = self.container.openstream(path).read()
        return content


def _add(message: _Storage, builder: TextBuilder, attachments: Attachments) -> None:
    subject = message.text(SUBJECT)
    files = [_Storage(message.container, path, header=8) for path in message.children("__attach_version1.0_")]
    builder.paragraph("\n".join(_facts(message, [name for file in files if (name := _name(file))])))
    _add_body(message, builder)
    for file in files:
        if inner := file.embedded():
            _add_embedded(_Storage(message.container, inner, header=24), builder, attachments)
        else:
            attachments.add(_name(file), file.text(MIME), file.data(DATA), subject)


def _facts(message: _Storage, names: list[str]) -> list[str]:
    address = message.text(SENDER_SMTP) or message.text(SENDER_ADDRESS)
    address = f"<{address}>" if "@" in address and address != message.text(SENDER) else ""
    values = {
        "Subject": message.text(SUBJECT),
        "From": f"{message.text(SENDER)} {address}".strip(),
        "To": message.text(TO),
        "Cc": message.text(CC),
        "Date": (message.time(SENT) or message.time(RECEIVED))[:16].replace("T", " "),
        "Attachments": ", ".join(names),
    }
    return [f"{name}: {value}" for name, value in values.items() if value]


def _name(file: _Storage) -> str:
    return file.text(LONG_NAME) or file.text(SHORT_NAME) or file.text(SHOWN_NAME)


def _add_embedded(message: _Storage, builder: TextBuilder, attachments: Attachments) -> None:
    subject = message.text(SUBJECT)
    if attachments.may_go_deeper(subject):
        builder.heading(2, subject or "Forwarded message")
        attachments.depth += 1
        _add(message, builder, attachments)
        attachments.depth -= 1


def _add_body(message: _Storage, builder: TextBuilder) -> None:
    """The plain text where there is one, else the HTML, else the RTF."""
    if (text := message.text(BODY)).strip():
        add_plain(LINKS.sub("", text), builder)
    elif page := message.text(HTML).encode("utf-8", "replace") or _html(message):
        add_html(page, builder)
    elif packed := message.data(RTF):
        try:
            add_rtf(compressed_rtf.decompress(packed), builder)
        except (ParseError, ValueError, IndexError, struct.error, AssertionError):
            builder.warn("The text of this mail is damaged.")


def _html(message: _Storage) -> bytes:
    data = message.data(HTML).rstrip(b"\0")
    page = message.number(INTERNET_PAGE)
    text = text_of(data, code_page(page)) if page else decode(data)
    return text.encode("utf-8", "replace") if data else b""
