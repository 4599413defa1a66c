"""The check at the door: may this name and content come in? Cheap enough for a web request."""

from __future__ import annotations

import re
import unicodedata
import zipfile
from pathlib import PurePosixPath
from typing import IO, Protocol

from ingestion.parsing import ocr
from ingestion.parsing.filetypes import (
    BINARY_MAGIC,
    BY_EXTENSION,
    DOC,
    HWP,
    IMAGES,
    MSG,
    PPT,
    XLS,
    FileType,
)
from ingestion.parsing.types import ParseLimits
from ingestion.parsing.zips import ZIP_FAULTS, open_zip
from library.errors import UploadError

HEAD = 4096
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
OLE_KINDS = (DOC, PPT, XLS, MSG, HWP)
MAX_NAME = 255  # characters, and bytes of UTF-8 on disk
RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
UNSAFE_IN_NAMES = re.compile(r"[\"<>|*?:`\\/]")


class Readable(Protocol):
    """A binary file that can be read and wound back."""

    def read(self, size: int = -1, /) -> bytes: ...
    def seek(self, offset: int, whence: int = 0, /) -> object: ...


def safe_name(name: str) -> str:
    """The name to show and store: no path, no controls or direction marks, nothing that a system reserves.

    Quotes, line breaks and the like are replaced, so that the name stays recognisable. Raises `UploadError`
    `bad_name` for NULs, for paths that climb, and where the rest is empty, reserved or too long.
    """
    if "\x00" in name or ".." in re.split(r"[\\/]", name):
        raise UploadError(
            "bad_name", 400, "The file's name holds characters that are not allowed. Rename it."
        )
    name = re.split(r"[\\/]", unicodedata.normalize("NFC", name))[-1]
    # Cc and Cf: controls and direction overrides, which can make "exe.pdf" of "fdp.exe"; Cs: lone surrogates.
    name = "".join("" if unicodedata.category(c) in {"Cf", "Cs"} else c for c in name)
    name = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in name)
    name = " ".join(UNSAFE_IN_NAMES.sub("_", name).split()).strip(". ")
    if not name:
        raise UploadError("bad_name", 400, "The file has no name. Give it one.")
    if RESERVED.fullmatch(name):
        raise UploadError("bad_name", 400, f"“{name}” is a name that Windows reserves. Rename the file.")
    if len(name) > MAX_NAME or len(name.encode()) > 3 * MAX_NAME:
        raise UploadError(
            "bad_name", 400, f"The file's name is longer than {MAX_NAME} characters. Shorten it."
        )
    return name


def detect(name: str) -> FileType:
    """The kind of file that a name promises. Raises `UploadError` `type_not_allowed`."""
    kind = BY_EXTENSION.get(PurePosixPath(name).suffix.lower())
    if kind is None or (kind in IMAGES and not ocr.installed()):
        raise UploadError(
            "type_not_allowed", 415, "Files of this type are not accepted. Save it as PDF, Office or text."
        )
    return kind


def check_upload(name: str, content: Readable) -> FileType:
    """The kind of an upload whose content agrees with its name.

    Raises `UploadError`: `type_not_allowed`, `type_mismatch`, `empty`. Reads a few kB, and a zip's directory;
    what needs real parsing (a truncated file, a password) is found later, in the child process.
    """
    kind = detect(name)
    content.seek(0)
    head = content.read(HEAD)
    if not head:
        raise UploadError("empty", 400, "The file is empty. Choose a file that has content.")
    if not _agrees(kind, head, content):
        raise UploadError(
            "type_mismatch",
            415,
            f"The content is not what “.{kind.label}” promises. Check the file's ending.",
        )
    content.seek(0)
    return kind


def _agrees(kind: FileType, head: bytes, content: Readable) -> bool:
    if kind.family == "text":
        return not any(
            head.startswith(magic) for magic in BINARY_MAGIC if len(magic) > 3 or b"\0" in head[:64]
        )
    if kind in IMAGES:
        return head.startswith(IMAGES[kind])
    if kind.family == "pdf":
        return b"%PDF-" in head[:1024]
    if kind.family == "rtf":
        return head.lstrip().startswith(b"{\\rt")
    if head.startswith(OLE_MAGIC):
        # A password turns a zipped office file into an OLE container; the parser names that one `encrypted`.
        return _ole_agrees(kind, head, content)
    return kind.family == "zip" and head.startswith(b"PK") and _zip_agrees(kind, content)


def _ole_agrees(kind: FileType, head: bytes, content: Readable) -> bool:
    """Whether the container's directory names a stream of this kind, or of no kind that is known here."""
    sector = int.from_bytes(head[48:52], "little")
    size = 4096 if head[30:31] == b"\x0c" else 512
    content.seek((sector + 1) * size)
    directory = content.read(1 << 16)
    found = [k for k in OLE_KINDS if k.marker.encode("utf-16le") in directory]
    if kind.family == "zip":
        return "EncryptedPackage".encode("utf-16le") in directory
    # Excel 5 called its stream Book.
    return not found or kind in found or (kind is XLS and "Book\0".encode("utf-16le") in directory)


def _zip_agrees(kind: FileType, content: Readable) -> bool:
    content.seek(0)
    stream: IO[bytes] = content  # type: ignore[assignment]  # zipfile reads and seeks, no more
    try:
        with open_zip(stream, entries=ParseLimits().archive_entries) as archive:
            names = archive.namelist()
            mimetype = archive.read("mimetype") if _plain(archive, "mimetype") else b""
    except ZIP_FAULTS:
        return True  # damaged: the parser says so
    if not kind.macros and any(name.endswith("vbaProject.bin") for name in names):
        return False
    if not kind.marker:
        return True
    if "/" in kind.marker.rstrip("/"):
        return kind.marker.encode() in mimetype or not mimetype
    return any(name.replace("\\", "/").startswith(kind.marker) for name in names)


def _plain(archive: zipfile.ZipFile, name: str) -> bool:
    """Whether a member is small and packed as usual: an LZMA header may ask for gigabytes."""
    try:
        info = archive.getinfo(name)
    except KeyError:
        return False
    return info.file_size < 1000 and info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
