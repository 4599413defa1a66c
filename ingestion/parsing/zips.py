"""Opening a zip file without believing it: its directory is measured before it is read."""

from __future__ import annotations

import lzma
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO

# What `zipfile` and its decoders raise for files that are damaged, or made to break readers.
ZIP_FAULTS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
ENTRY_BYTES = 512  # of the directory, on average: a header of 46, a name and what packers add
ENTRY_SIGNATURE = b"PK\x01\x02"
ZIP64_RECORDS = 76  # bytes between the directory and its end record in large archives


class TooManyEntriesError(zipfile.BadZipFile):
    """The directory has more entries than anybody packs by hand."""


def open_zip(file: Path | IO[bytes], *, entries: int) -> zipfile.ZipFile:
    """The archive, if it has at most `entries`. Raises `TooManyEntriesError`, or another of `ZIP_FAULTS`.

    `zipfile` makes an object of each entry as it opens (1.8 million: a minute and 860 MB), whatever the end
    record says. So that record is asked first, and then the bytes that it points at.
    """
    if isinstance(file, Path):
        with file.open("rb") as stream:
            _check_directory(stream, entries)
    else:
        _check_directory(file, entries)
    return zipfile.ZipFile(file)


def _check_directory(file: IO[bytes], entries: int) -> None:
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # the very record that ZipFile goes by
    if not end:
        raise zipfile.BadZipFile("There is no end record.")
    size: int = end[zipfile._ECD_SIZE]  # type: ignore[attr-defined]
    if end[zipfile._ECD_ENTRIES_TOTAL] > entries or size > entries * ENTRY_BYTES:  # type: ignore[attr-defined]
        raise TooManyEntriesError
    start: int = end[zipfile._ECD_LOCATION] - size - ZIP64_RECORDS  # type: ignore[attr-defined]
    file.seek(max(start, 0))
    if file.read(size + ZIP64_RECORDS).count(ENTRY_SIGNATURE) > entries:
        raise TooManyEntriesError
