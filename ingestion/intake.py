"""Many documents at once: files, folders, archives and JSON lines, each accepted or refused for itself."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile

from ingestion import documents, idempotency
from ingestion.documents import Details, DuplicateError
from ingestion.parsing import ParseLimits
from ingestion.parsing.archives import archive_members
from library.errors import RefusedError, UploadError
from library.http import load_json
from library.models import Document, Library

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file or record: a queued document, or why not (a stable code and a sentence)."""

    name: str
    document: Document | None = None  # for a duplicate, the one that is there already
    code: str = ""
    message: str = ""

    @property
    def accepted(self) -> bool:
        return not self.code


def ingest_paths(library: Library, paths: Iterable[Path], *, user: Any = None) -> Iterator[Outcome]:
    """Accept files, the files in folders, the members of .zip archives and the lines of a corpus.jsonl.

    A file in a folder is named by its path below that folder, so that two of one name do not replace each
    other.
    """
    for path in paths:
        if path.is_dir():
            for file in sorted(p for p in path.rglob("*") if p.is_file() and not _hidden(p, path)):
                yield from _ingest_file(library, file, file.relative_to(path).as_posix(), user)
        elif path.is_file():
            yield from _ingest_file(library, path, path.name, user)
        else:
            yield Outcome(str(path), code="not_found", message="There is no such file or folder.")


def is_archive(name: str) -> bool:
    """Whether a file stands for its members."""
    return name.lower().endswith(".zip")


def ingest_upload(library: Library, upload: File[bytes], *, user: Any = None) -> Iterator[Outcome]:
    """Accept a file by its name; of a .zip, each member."""
    name = upload.name or ""
    if is_archive(name):
        try:
            yield from ingest_members(library, upload, user=user)
        except (RefusedError, OSError) as error:
            yield _refusal(name, error)
    else:
        yield _accept(name, lambda: documents.create(library, name, upload, user=user))


def ingest_members(
    library: Library,
    archive: File[bytes],
    *,
    user: Any = None,
    details: Details = documents.NO_DETAILS,
    idempotency_key: str = "",
) -> Iterator[Outcome]:
    """Accept each member of a .zip. Each gets these details, and what it becomes is found again by the key.

    A member that cannot be unpacked is refused for itself. Raises `UploadError` for an archive that may not
    come in, or is unsafe as a whole: at once, or after members that stay.
    """
    if isinstance(archive, UploadedFile):  # one on this machine may be larger: its members are checked
        documents.check_size(archive)
    empty = True
    for member, read in archive_members(archive, ParseLimits()):
        if empty and idempotency_key:
            idempotency.claim_archive(user, idempotency_key, library, documents.hash_of(archive))
        empty = False
        key = idempotency.member_key(idempotency_key, member) if idempotency_key else ""
        create = partial(_create, library, member, read, user=user, details=details, idempotency_key=key)
        outcome = _accept(member, create)
        if outcome.code == "unsafe_archive":
            raise UploadError(outcome.code, 400, outcome.message)
        yield outcome
    if empty:
        raise UploadError("empty", 400, "The archive holds no files. Pack it anew.")


def _create(library: Library, name: str, read: Callable[[], bytes], **more: Any) -> Document:
    return documents.create(library, name, ContentFile(read()), **more)


def ingest_record(library: Library, record: Any, *, user: Any = None) -> Outcome:
    """Accept one JSON object {id?, title, text, metadata?} (or BEIR's {_id, title, text}) as a document."""
    if not isinstance(record, dict) or not isinstance(record.get("text"), str):
        return Outcome("", code="bad_record", message='Each line must be an object with a "text".')
    title, metadata = record.get("title") or "", record.get("metadata") or {}
    key = record.get("id", record.get("_id")) or title
    if (
        not isinstance(title, str)
        or not isinstance(metadata, dict)
        or not isinstance(key, str | int)
        or not key
    ):
        return Outcome(
            "",
            code="bad_record",
            message='"title" must be text, "metadata" an object, "id" text or a number.',
        )
    name = f"{str(key).replace('/', ' ')[:200]}.txt"
    content = ContentFile(record["text"].encode("utf-8", "replace"))
    details = Details(title=title, metadata=metadata)
    return _accept(name, lambda: documents.create(library, name, content, user=user, details=details))


def _ingest_file(library: Library, path: Path, name: str, user: Any) -> Iterator[Outcome]:
    if path.name == "corpus.jsonl":
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    outcome = ingest_record(library, _json(line), user=user)
                    yield outcome if outcome.name else replace(outcome, name=f"{name}, line {number}")
    else:
        with path.open("rb") as content:
            yield from ingest_upload(library, File(content, name), user=user)


def _accept(name: str, create: Callable[[], Document]) -> Outcome:
    try:
        return Outcome(name, create())
    except (RefusedError, OSError) as error:
        return _refusal(name, error)


def _refusal(name: str, error: RefusedError | OSError) -> Outcome:
    """What became of a file that was refused. Raises what is no refusal but a fault."""
    if isinstance(error, RefusedError):
        there = error.document if isinstance(error, DuplicateError) else None
        return Outcome(name, there, error.code, error.message)
    if error.errno not in DISK_FULL:
        raise error
    logger.error("The disk for documents is full.")
    return Outcome(name, code="storage_full", message="There is no room for more documents. Tell an admin.")


def _json(line: bytes) -> Any:
    try:
        return load_json(line)
    except ValueError:
        return None


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)
