"""winmail.dat: what Outlook packs a mail's text and attachments into (MS-OXTNEF), by tnefparse."""

from __future__ import annotations

import struct
from typing import Any

from tnefparse import TNEF

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import decode
from ingestion.parsing.readers.attachments import Attachments
from ingestion.parsing.readers.rtf import add_rtf
from ingestion.parsing.readers.text import add_plain
from ingestion.parsing.readers.webpage import add_html
from ingestion.parsing.types import ParseError

FAULTS = (ValueError, LookupError, TypeError, AttributeError, AssertionError, ArithmeticError, struct.error)


def add(data: bytes, subject: str, builder: TextBuilder, attachments: Attachments) -> None:
    """Add the text and the attachments of a winmail.dat; one that is damaged is named in the text."""
    try:
        packed = TNEF(data, do_checksum=False)
    except (*FAULTS, UnboundLocalError):
        builder.paragraph("[winmail.dat was not read: it is damaged or incomplete.]")
        builder.warn("winmail.dat was not read: it is damaged or incomplete.")
        return
    _add_body(packed, builder)
    for attached in packed.attachments:
        name = attached.long_filename() or attached.name or ""
        name = name if isinstance(name, str) else decode(name)
        attachments.add(name.strip("\0 "), "", attached.data or b"", subject)


def _add_body(packed: Any, builder: TextBuilder) -> None:
    if packed.body:
        add_plain(_text(packed.body), builder)
    elif packed.htmlbody:
        add_html(_text(packed.htmlbody).encode("utf-8", "replace"), builder)
    else:
        try:
            rtf = packed.rtfbody
            if rtf:
                add_rtf(rtf, builder)
        except (*FAULTS, ParseError):
            builder.warn("The text of winmail.dat is damaged.")


def _text(value: str | bytes) -> str:
    return (value if isinstance(value, str) else decode(value)).strip("\0")
