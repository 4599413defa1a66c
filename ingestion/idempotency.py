"""Uploads that are sent twice with one `Idempotency-Key` are made once."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from django.utils import timezone

from ingestion.models import IdempotencyKey
from library.errors import RefusedError
from library.models import Document, Library

REMEMBERED = timedelta(hours=24)


def document_of(user: Any, key: str, library: Library, sha256: str) -> Document | None:
    """The document that this person's key made in the last 24 hours.

    Raises `RefusedError` where the key came with another file or library then: that upload would be
    lost silently.
    """
    known = IdempotencyKey.objects.filter(user=user, key=key, created_at__gt=timezone.now() - REMEMBERED)
    first = known.select_related("document__library").first()
    if first is None:
        return None
    if first.document is None or (first.sha256, first.document.library_id) != (sha256, library.pk):
        raise _reused()
    return first.document


def remember(user: Any, key: str, document: Document) -> None:
    """To be called in the transaction that writes the document. Raises `IntegrityError` where another request
    with this key was quicker."""
    _forget_old(user)
    IdempotencyKey.objects.create(user=user, key=key, sha256=document.sha256, document=document)


def claim_archive(user: Any, key: str, library: Library, sha256: str) -> None:
    """Bind the key to this archive in this library, before its members are read. Sent again, what was cut off
    goes on, and members that came in are found by keys of their own. Raises `RefusedError` as `document_of`.
    """
    _forget_old(user)
    bound = hashlib.sha256(f"{library.pk}/{sha256}".encode()).hexdigest()
    row, _ = IdempotencyKey.objects.get_or_create(user=user, key=key, defaults={"sha256": bound})
    if row.document_id is not None or row.sha256 != bound:
        raise _reused()


def member_key(key: str, name: str) -> str:
    """The key of one member of an archive that came with `key`."""
    return hashlib.sha256(f"{key}/{name}".encode("utf-8", "surrogatepass")).hexdigest()


def _forget_old(user: Any) -> None:
    IdempotencyKey.objects.filter(user=user, created_at__lte=timezone.now() - REMEMBERED).delete()


def _reused() -> RefusedError:
    return RefusedError(
        "idempotency_key_reused", 422, "This Idempotency-Key came with another file before. Use a new one."
    )
