"""Old Office files: passwords, which kreuzberg overlooks, and containers that are cut short."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import olefile
from kreuzberg import ExtractionResult

from ingestion.parsing.filetypes import FileType
from ingestion.parsing.readers.extraction import extract
from ingestion.parsing.types import ParseError

SECTOR = 512
WORD_ENCRYPTED = 0x0100  # in the flags of the file information block, [MS-DOC] 2.5.2
SLIDES_ENCRYPTED = 0xF3D1C4DF  # the header token of "Current User", [MS-PPT] 2.3.2


def extract_ole(path: Path, kind: FileType, output: str) -> ExtractionResult:
    """kreuzberg's text. Raises `ParseError` `encrypted`, `corrupt`."""
    if has_password(path):
        raise ParseError("encrypted")
    try:
        return extract(path, kind.content_type, output)
    except ParseError as error:
        if error.code != "corrupt":
            raise
        return extract(_filled_up(path.read_bytes()), kind.content_type, output)


def has_password(path: Path) -> bool:
    try:
        with olefile.OleFileIO(str(path)) as container:
            return (
                container.exists("EncryptedPackage")
                or container.exists("EncryptedSummary")
                or _number(container, "WordDocument", 10, "<H") & WORD_ENCRYPTED != 0
                or _number(container, "Current User", 12, "<I") == SLIDES_ENCRYPTED
            )
    except (OSError, struct.error, IndexError):
        return False  # too damaged for this look; kreuzberg decides


def properties(path: Path) -> tuple[str, str]:
    """Title and last change that the file gives of itself, '' where it does not say."""
    try:
        with olefile.OleFileIO(str(path)) as container:
            facts = container.get_metadata()
        title = (facts.title or b"").decode(f"cp{facts.codepage or 1252}", "replace").strip("\0 ")
        changed = facts.last_saved_time or facts.create_time
        return title, changed.isoformat() if changed else ""
    except (OSError, struct.error, IndexError, LookupError, AttributeError, ValueError, OverflowError):
        return "", ""


def _number(container: Any, stream: str, offset: int, layout: str) -> int:
    if not container.exists(stream):
        return 0
    head = container.openstream(stream).read(offset + 4)
    number: int = struct.unpack_from(layout, head, offset)[0]
    return number


def _filled_up(data: bytes) -> bytes:
    """The container with its last sectors put back as zeros, as far as its allocation table reaches.

    kreuzberg refuses a table that names sectors after the file's end; Office does not.
    Raises `ParseError` `corrupt` where that is not what is wrong.
    """
    tables = int.from_bytes(data[44:48], "little")
    whole = (1 + tables * SECTOR // 4) * SECTOR
    if not len(data) < whole <= 4 * len(data) + (1 << 20):
        raise ParseError("corrupt")
    return data.ljust(whole, b"\0")
