"""Many documents at once: files, folders, archives and JSON lines, each accepted or refused for itself."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import UploadedFile

from ingestion import documents
from ingestion.documents import Details, DuplicateError
from ingestion.parsing import ParseLimits
from ingestion.parsing.archives import archive_members
from library.errors import UploadError
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


def ingest_upload(library: Library, upload: UploadedFile[bytes], *, user: Any = None) -> Iterator[Outcome]:
    """Accept a file from a form; of a .zip, each member."""
    name = upload.name or ""
    if name.lower().endswith(".zip"):
        yield from ingest_archive(library, upload, name, user=user)
    else:
        yield _accept(name, lambda: documents.create(library, name, upload, user=user))


def ingest_archive(
    library: Library, archive: Path | IO[bytes] | UploadedFile[bytes], name: str, *, user: Any = None
) -> Iterator[Outcome]:
    """Accept each member of a .zip; an archive that is unsafe as a whole is one refusal."""
    try:
        for member, read in archive_members(archive, ParseLimits()):
            create = partial(documents.create, library, member, ContentFile(read()), user=user)
            yield _accept(member, create)
    except UploadError as error:
        yield Outcome(name, code=error.code, message=error.message)


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
    elif path.suffix.lower() == ".zip":
        yield from ingest_archive(library, path, name, user=user)
    else:
        with path.open("rb") as content:
            yield _accept(name, lambda: documents.create(library, name, File(content), user=user))


def _accept(name: str, create: Callable[[], Document]) -> Outcome:
    try:
        return Outcome(name, create())
    except DuplicateError as error:
        return Outcome(name, error.document, error.code, error.message)
    except UploadError as error:
        return Outcome(name, code=error.code, message=error.message)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        logger.error("The disk for documents is full.")
        return Outcome(
            name, code="storage_full", message="There is no room for more documents. Tell an admin."
        )


def _json(line: bytes) -> Any:
    try:
        return load_json(line)
    except ValueError:
        return None


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)
