"""Zip files, read with caps on what is actually inflated and never unpacked to disk."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from ingestion.parsing.archive_names import member_names
from ingestion.parsing.types import MESSAGES, ParseError, ParseLimits
from ingestion.parsing.zips import ZIP_FAULTS, TooManyEntriesError, open_zip
from library.errors import UploadError

BLOCK = 1 << 18
RATIO_FLOOR = 8 << 20  # what inflates to less is harmless, however well it was packed


class Budget:
    """Counts the bytes that one archive has really given."""

    def __init__(self, limits: ParseLimits) -> None:
        self.limits = limits
        self.total = 0

    def read(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
        """A member's content. Raises `ParseError`: `encrypted`, `corrupt`, `unsafe_archive`."""
        return b"".join(self.blocks(archive, info))

    def blocks(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
        """A member's content piece by piece. Raises as `read`."""
        if info.flag_bits & 1:
            raise ParseError("encrypted")
        size = 0
        try:
            with archive.open(info) as member:
                while block := member.read(BLOCK):
                    self.total += len(block)
                    size += len(block)
                    self._check(size, info)
                    yield block
        except zipfile.BadZipFile as error:
            # zipfile compares names, sizes and checksums of the two headers.
            code = "unsafe_archive" if "differ" in str(error) or "Overlapped" in str(error) else "corrupt"
            raise ParseError(code) from error
        except ZIP_FAULTS as error:
            raise ParseError("corrupt") from error
        if size != info.file_size:
            raise ParseError("unsafe_archive")

    def _check(self, size: int, info: zipfile.ZipInfo) -> None:
        packed = max(info.compress_size, 1)
        if self.total > self.limits.archive_bytes:
            raise ParseError("unsafe_archive")
        if size > RATIO_FLOOR and size / packed > self.limits.archive_ratio:
            raise ParseError("unsafe_archive")


def open_archive(file: Path | IO[bytes], limits: ParseLimits) -> zipfile.ZipFile:
    """A zip file whose directory is sound. Raises `ParseError`: `corrupt`, `unsafe_archive`."""
    try:
        return open_zip(file, entries=limits.archive_entries)
    except TooManyEntriesError as error:
        raise ParseError("unsafe_archive") from error
    except ZIP_FAULTS as error:
        raise ParseError("corrupt") from error


def archive_members(file: Path | IO[bytes], limits: ParseLimits) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """(name, function that gives the content) for each file of an uploaded zip, in its order.

    Names keep their folders ("2024/report.pdf"). Folders, links and the litter of macOS are left out. Raises
    `UploadError` 400: `encrypted`; `corrupt`; `unsafe_archive` for names that leave the archive, names that
    come twice, archives in archives, and all that passes the limits, on the bytes that really come out.
    """
    try:
        with open_archive(file, limits) as archive:
            budget = Budget(limits)
            named = zip(archive.infolist(), member_names(archive.infolist()), strict=True)
            members = [(info, name) for info, name in named if not _skipped(info, name)]
            _check_names([name for _, name in members])
            for info, name in members:
                yield name, lambda info=info: _read(budget, archive, info)  # type: ignore[misc]
    except ParseError as error:
        raise UploadError(error.code, 400, error.message) from error


def _read(budget: Budget, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        return budget.read(archive, info)
    except MemoryError:  # LZMA takes as much as the archive says
        raise UploadError("unsafe_archive", 400, MESSAGES["unsafe_archive"]) from None
    except ParseError as error:
        raise UploadError(error.code, 400, error.message) from error


def _skipped(info: zipfile.ZipInfo, name: str) -> bool:
    is_link = stat.S_ISLNK(info.external_attr >> 16)
    litter = name.startswith("__MACOSX/") or PurePosixPath(name).name in {".DS_Store", "Thumbs.db"}
    return info.is_dir() or name.endswith("/") or is_link or litter


def _check_names(names: list[str]) -> None:
    if len(set(names)) != len(names):
        raise ParseError("unsafe_archive")
    for name in names:
        path = PurePosixPath(name.replace("\\", "/"))
        outside = path.is_absolute() or ".." in path.parts or (path.parts and ":" in path.parts[0])
        nested = path.suffix.lower() in {".zip", ".7z", ".rar", ".gz", ".tar", ".bz2", ".xz", ".tgz", ".jar"}
        if outside or nested:
            raise ParseError("unsafe_archive")
