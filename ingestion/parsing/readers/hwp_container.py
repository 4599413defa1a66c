"""HWP 5 files as streams of records, inflated and, of distribution documents, decrypted.

A distribution document may only be shown and printed by Hancom's programs; it needs no password, for its key
lies at the start of each stream. Source: Hancom, "한글 문서 파일 형식 배포용 문서" (revision 1.2).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import olefile

from ingestion.parsing.types import ParseError, ParseLimits

COMPRESSED, PASSWORD, DISTRIBUTED = 1, 2, 4
DISTRIBUTION_DATA, DISTRIBUTION_SIZE = 28, 256
SECTION = re.compile(r"Section(\d+)")
WIDE_TEXT, TIME = 31, 64  # types of properties
MOST_PROPERTIES, LONGEST_PROPERTY = 100, 1000
LATEST = 600 * 366 * 86_400 * 10**6  # microseconds since 1601
MOST_BYTES = 128 << 20  # of one stream


class Record(NamedTuple):
    tag: int
    level: int
    payload: bytes


class Container:
    """An HWP file. Raises `ParseError` `encrypted`, `corrupt`, `too_complex`."""

    def __init__(self, path: Path, limits: ParseLimits) -> None:
        self._container: Any = olefile.OleFileIO(str(path))
        self._most = min(MOST_BYTES, limits.archive_bytes)
        header = self._read("FileHeader")
        if not header.startswith(b"HWP Document File"):
            raise ParseError("corrupt")
        (self._flags,) = struct.unpack_from("<I", header, 36)
        if self._flags & PASSWORD:
            raise ParseError("encrypted")

    def __enter__(self) -> Container:
        return self

    def __exit__(self, *_: Any) -> None:
        self._container.close()

    def facts(self) -> dict[int, str | datetime]:
        """The texts and times that the file says of itself, by their numbers in OLE."""
        name = "\x05HwpSummaryInformation"
        return _properties(self._read(name)) if self._container.exists(name) else {}

    def info(self) -> Iterator[Record]:
        return _records(self._inflated(self._read("DocInfo")))

    def sections(self) -> Iterator[Iterator[Record]]:
        """The records of each section of the body, in order."""
        folder = "ViewText" if self._flags & DISTRIBUTED else "BodyText"
        entries = [entry for entry in self._container.listdir() if entry[0] == folder and len(entry) == 2]
        for _, name in sorted((int(m[1]), e[1]) for e in entries if (m := SECTION.fullmatch(e[1]))):
            data = self._read(f"{folder}/{name}")
            yield _records(self._inflated(_decrypted(data) if self._flags & DISTRIBUTED else data))

    def _read(self, name: str) -> bytes:
        if not self._container.exists(name):
            raise ParseError("corrupt")
        data: bytes = self._container.openstream(name).read()
        return data

    def _inflated(self, data: bytes) -> bytes:
        if not self._flags & COMPRESSED:
            return data
        inflater = zlib.decompressobj(-15)
        try:
            out = inflater.decompress(data, self._most)
        except zlib.error as error:
            raise ParseError("corrupt") from error
        if inflater.unconsumed_tail:
            raise ParseError("too_complex")
        return out


def _records(data: bytes) -> Iterator[Record]:
    """Each record; one that is cut off ends the stream."""
    position = 0
    while position + 4 <= len(data):
        (head,) = struct.unpack_from("<I", data, position)
        position += 4
        size = head >> 20
        if size == 0xFFF:
            (size,) = struct.unpack_from("<I", data, position)
            position += 4
        yield Record(head & 0x3FF, head >> 10 & 0x3FF, data[position : position + size])
        position += size


def _properties(data: bytes) -> dict[int, str | datetime]:
    """The properties of an OLE property set. olefile counts as far as a damaged file tells it to."""
    facts: dict[int, str | datetime] = {}
    if len(data) < 56:
        return facts
    (section,) = struct.unpack_from("<I", data, 44)
    count = int.from_bytes(data[section + 4 : section + 8], "little")
    for place in range(section + 8, section + 8 + 8 * min(count, MOST_PROPERTIES), 8):
        if place + 8 > len(data):
            break
        number, offset = struct.unpack_from("<II", data, place)
        value = data[section + offset :][: 8 + 2 * LONGEST_PROPERTY]
        kind, size = (int.from_bytes(value[at : at + 4], "little") for at in (0, 4))
        if kind == WIDE_TEXT:
            text = value[8 : 8 + 2 * min(size, LONGEST_PROPERTY)].decode("utf-16-le", "replace")
            facts[number] = text.partition("\0")[0]
        elif kind == TIME and len(value) >= 12:
            microseconds = int.from_bytes(value[4:12], "little") // 10
            if microseconds < LATEST:
                facts[number] = datetime(1601, 1, 1) + timedelta(microseconds=microseconds)
    return facts


def _decrypted(data: bytes) -> bytes:
    """The rest of a stream after the record with its key."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    (head,) = struct.unpack_from("<I", data)
    if head & 0x3FF != DISTRIBUTION_DATA or head >> 20 != DISTRIBUTION_SIZE:
        raise ParseError("corrupt")
    start = 4 + DISTRIBUTION_SIZE
    body = data[start : start + (len(data) - start) // 16 * 16]
    decryptor = Cipher(algorithms.AES(_key(data[4:start])), modes.ECB()).decryptor()  # noqa: S305
    return decryptor.update(body) + decryptor.finalize()


def _key(block: bytes) -> bytes:
    """The 16 bytes that a generator of random numbers, seeded by the block's first four, has hidden in it."""
    seed = state = int.from_bytes(block[:4], "little")
    plain = bytearray(block)
    left = mask = 0
    for position in range(len(block)):
        if not left:
            state, mask = _random(state)
            state, left = _random(state)
            left = (left & 0xF) + 1
        if position >= 4:
            plain[position] ^= mask & 0xFF
        left -= 1
    start = 4 + (seed & 0xF)
    return bytes(plain[start : start + 16])


def _random(state: int) -> tuple[int, int]:
    """The next state and number of the C library's rand() on Windows."""
    state = (state * 214013 + 2531011) & 0xFFFFFFFF
    return state, state >> 16 & 0x7FFF
