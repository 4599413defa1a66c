"""Create, replace, retry and delete: the only writers of Document rows besides the pipeline.

The form, the REST API and the command line all come here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from indexing import frequencies
from indexing.engine import remove_points
from ingestion import idempotency, tasks
from ingestion.parsing.uploads import MAX_NAME, check_upload, safe_name
from library.errors import RefusedError, UploadError, too_large
from library.models import PENDING, Chunk, Document, Library, Status
from retrieval.disk import ensure_room

MAX_DETAILS = 64_000  # characters of JSON


class DuplicateError(RefusedError):
    """The same bytes are in the library already, as `document`."""

    def __init__(self, document: Document) -> None:
        super().__init__("duplicate", 409, f"This library already has this file, as “{document.name}”.")
        self.document = document


@dataclass(frozen=True, slots=True)
class Details:
    """What an uploader may say of a file."""

    title: str = ""
    metadata: dict[str, Any] | None = None
    tags: tuple[str, ...] = ()


NO_DETAILS = Details()


def create(
    library: Library,
    name: str,
    content: File[bytes],
    *,
    user: Any = None,
    details: Details = NO_DETAILS,
    idempotency_key: str = "",
) -> Document:
    """Accept a file: when this returns it is durable, and it will end `ready` or `failed`.

    A name that the library has already gets a new version, which replaces the old one once it is ready. A
    name may have folders (`2024/report.pdf`). A user's `idempotency_key` makes one document: sent again
    within 24 hours, it gets that document.

    1. Check name, size and content.  2. Write the file to disk.  3. Commit the row.  4. Ring for a worker.
    A crash after 2 leaves a file that nothing names; a crash after 3 is mended by the sweep.

    Raises `UploadError` for what may not come in, `DuplicateError` for bytes that the library has,
    `RefusedError` for a key that came with other bytes before.
    """
    name = safe_path(name)
    check_size(content)
    _check_details(details)
    sha256 = hash_of(content)
    if idempotency_key and (made := idempotency.document_of(user, idempotency_key, library, sha256)):
        return made
    file_type = check_upload(name, content)
    fields = {
        "sha256": sha256,
        "size": content.size,
        "content_type": file_type.content_type,
        "type": file_type.label,
        "given_title": details.title[:500],
        "metadata": details.metadata or {},
        "tags": list(details.tags),
        "created_by": user if user is not None and user.pk else None,
    }
    if existing := Document.objects.filter(library=library, sha256=sha256).first():
        return _again(existing, name)
    remember = (user, idempotency_key) if idempotency_key else None
    content.seek(0)
    stored = Document(library=library, name=name)
    stored.file.save(name, content, save=False)
    write = partial(_write_row, library, name, stored.file.name or "", fields, remember)
    try:
        try:
            document, old_file = write()
        except IntegrityError:  # the same bytes, key or name came in by another request meanwhile
            if idempotency_key and (made := idempotency.document_of(user, idempotency_key, library, sha256)):
                stored.file.storage.delete(stored.file.name or "")
                return made
            if existing := Document.objects.filter(library=library, sha256=sha256).first():
                raise DuplicateError(existing) from None
            document, old_file = write()  # the name is there now, so this is its next version
    except BaseException:
        stored.file.storage.delete(stored.file.name or "")
        raise
    if old_file:
        stored.file.storage.delete(old_file)
    return document


def _write_row(
    library: Library, name: str, file: str, fields: dict[str, Any], remember: tuple[Any, str] | None
) -> tuple[Document, str | None]:
    """The new row, or the new version of the row of this name; and the file that it no longer names."""
    with transaction.atomic():
        document = Document.objects.select_for_update().filter(library=library, name=name).first()
        old_file = document.file.name if document else None
        if document is None:
            document = Document(library=library, name=name)
        else:
            document.version += 1
        for field, value in fields.items():
            setattr(document, field, value)
        document.title = document.given_title or document.title  # the old one until the new version is read
        document.file.name = file
        _queue(document)
        document.save()
        if remember:
            idempotency.remember(*remember, document)
        transaction.on_commit(lambda: tasks.ring(document.pk))
    return document, old_file


def _queue(document: Document) -> None:
    document.status = Status.QUEUED
    document.progress = 0.0
    document.attempts = 0
    document.error_code = document.error_message = ""
    document.lease = document.lease_until = None
    document.dispatch_at = document.updated_at = timezone.now()


def _again(existing: Document, name: str) -> Document:
    """The same bytes a second time: another chance for a file that failed, else a duplicate."""
    if existing.status not in (Status.FAILED, Status.QUARANTINED) or existing.name != name:
        raise DuplicateError(existing)
    return retry(existing)


def retry(document: Document) -> Document:
    """Queue a failed or quarantined document again, with its attempts counted from nought."""
    with transaction.atomic():
        document = Document.objects.select_for_update().get(pk=document.pk)
        _queue(document)
        document.save()
        transaction.on_commit(lambda: tasks.ring(document.pk))
    return document


def read_again() -> list[UUID]:
    """Queue every document that is not on its way to be read again as a new version, and return their ids.

    Search shows the version before until the new one is ready; a file that can't be read any more keeps it.
    """
    queued = []
    for pk in Document.objects.exclude(status__in=PENDING).values_list("pk", flat=True):
        with transaction.atomic():
            ended = Document.objects.select_for_update().exclude(status__in=PENDING)
            document = ended.filter(pk=pk).first()
            if document is None:
                continue
            document.version += 1
            _queue(document)
            document.save()
            transaction.on_commit(partial(tasks.ring, pk))
        queued.append(pk)
    return queued


def delete(document: Document) -> None:
    """Remove a document for good: invisible from the commit on, its points and file directly after.

    Points or a file left behind by a crash in between are invisible, and the reconciler removes them. What is
    to be removed is read under the row's lock: it may have been replaced or published since it was loaded.
    """
    with transaction.atomic():
        document = Document.objects.select_for_update().get(pk=document.pk)
        chunks = document.chunks.select_related("document")
        ids = [str(chunk.pk) for chunk in chunks]
        frequencies.add(document.library_id, -frequencies.of_chunks(chunks))
        file, storage = document.file.name, document.file.storage
        document.delete()
    remove_points(ids)
    if file:
        storage.delete(file)


def delete_library(library: Library) -> None:
    """Remove a library with its documents, by the same rules."""
    with transaction.atomic():
        files = [d.file.name for d in library.documents.select_for_update().only("file")]
        chunks = Chunk.objects.filter(document__library=library)
        ids = [str(pk) for pk in chunks.values_list("pk", flat=True)]
        library.delete()
    remove_points(ids)
    for file in filter(None, files):
        default_storage.delete(file)


def safe_path(name: str) -> str:
    """A name that may have folders, as files of a folder or an archive have; each part of it made safe.

    Raises `UploadError` `bad_name`.
    """
    path = "/".join(safe_name(part) for part in name.split("/"))
    if len(path) > MAX_NAME:
        raise UploadError("bad_name", 400, f"The name is longer than {MAX_NAME} characters. Shorten it.")
    return path


def check_size(content: File[bytes]) -> None:
    """Whether there is room for it. Raises `UploadError`, and `OSError` where the disk is nearly full."""
    size = content.size
    if not size:
        raise UploadError("empty", 400, "The file is empty. Choose a file that has content.")
    if size > settings.MAX_UPLOAD_BYTES:
        raise too_large(settings.MAX_UPLOAD_BYTES)
    ensure_room(settings.MEDIA_ROOT, size + settings.MIN_FREE_BYTES)


def _check_details(details: Details) -> None:
    """What a database can store: Postgres takes no NUL, and no encoding takes half a surrogate pair."""
    text = json.dumps([details.title, details.metadata, details.tags], ensure_ascii=False)
    if len(text) > MAX_DETAILS:
        raise UploadError("bad_details", 400, "Title, metadata and tags are too long. Shorten them.")
    if "\\u0000" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise UploadError("bad_details", 400, "Title, metadata or tags hold characters that are no text.")


def hash_of(content: File[bytes]) -> str:
    """SHA-256, in hexadecimal."""
    digest = hashlib.sha256()
    for block in content.chunks():
        digest.update(block)
    return digest.hexdigest()
