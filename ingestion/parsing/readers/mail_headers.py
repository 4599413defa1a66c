"""Headers of mails as people see them, encoded words and raw bytes of old mailers decoded.

Own code: the standard library's parser takes gigabytes for a long header, and drops raw bytes.
"""

from __future__ import annotations

import binascii
import codecs
import quopri
import re
from email.message import Message
from email.utils import collapse_rfc2231_value, parsedate_to_datetime

from ingestion.parsing.encoding import decode

LONGEST = 10_000  # characters of a header
WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
BETWEEN_WORDS = re.compile(r"(\?=)\s+(=\?)")


def header(message: Message, name: str) -> str:
    """The first header of this name on one line, '' where there is none."""
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            return decoded(str(value), charset_of(message))
    return ""


def sent(message: Message) -> str:
    """When a mail was sent, as ISO 8601; '' where it does not say."""
    try:
        return parsedate_to_datetime(header(message, "Date")).isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return ""


def file_name(part: Message) -> str:
    """An attachment's name, in whichever of three ways it is encoded; '' where it has none."""
    for key, place in (("filename", "content-disposition"), ("name", "content-type")):
        try:
            value = part.get_param(key, None, place)
            if value:
                return decoded(collapse_rfc2231_value(value), charset_of(part))
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
    return (
        header(part, "Content-Description") if part.get_content_type() == "application/octet-stream" else ""
    )


def charset_of(message: Message) -> str:
    """The character set that a part, or the first part of a mail that names one, declares."""
    for part in message.walk():
        try:
            charset = part.get_param("charset")
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
        if isinstance(charset, str):
            return charset.strip("'\" ")
    return ""


def decoded(value: str, charset: str) -> str:
    """A header's value. Raw bytes are UTF-8 (RFC 6532), or else in the body's character set, or guessed."""
    value = value[:LONGEST]
    raw = value.encode("utf-8", "surrogateescape")
    text = text_of(raw, charset) if not raw.isascii() else value
    return " ".join(_words(BETWEEN_WORDS.sub(r"\1\2", text)).split())


def text_of(data: bytes, charset: str) -> str:
    """Bytes in their declared character set where that fits, else in the one that they look like."""
    for name in ("utf-8", charset):
        try:
            return data.decode(codecs.lookup(name).name)
        except (LookupError, ValueError):
            continue
    return decode(data)


def _words(text: str) -> str:
    """Encoded words decoded; neighbours in one character set together, for a character may be cut in two."""
    parts: list[tuple[str, bytes | str]] = []
    end = 0
    for match in WORD.finditer(text):
        if match.start() > end:
            parts.append(("", text[end : match.start()]))
        charset, data = match[1].split("*")[0].lower(), _word(match[2], match[3])
        if parts and parts[-1][0] == charset and isinstance(parts[-1][1], bytes):
            parts[-1] = (charset, parts[-1][1] + data)
        else:
            parts.append((charset, data))
        end = match.end()
    parts.append(("", text[end:]))
    return "".join(part if isinstance(part, str) else _declared(part, charset) for charset, part in parts)


def _declared(data: bytes, charset: str) -> str:
    try:
        return data.decode(charset)
    except (LookupError, ValueError):
        return decode(data)


def _word(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return quopri.decodestring(data, header=True)
    try:
        return binascii.a2b_base64(data + b"=" * (-len(data) % 4))
    except binascii.Error:
        return data
