"""Uploads that are sent twice with one `Idempotency-Key` are made once."""

from __future__ import annotations

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
    if (first.sha256, first.document.library_id) != (sha256, library.pk):
        raise RefusedError(
            "idempotency_key_reused",
            422,
            "This Idempotency-Key came with another file before. Use a new one.",
        )
    return first.document


def remember(user: Any, key: str, document: Document) -> None:
    """To be called in the transaction that writes the document. Raises `IntegrityError` where another request
    with this key was quicker."""
    IdempotencyKey.objects.filter(user=user, created_at__lte=timezone.now() - REMEMBERED).delete()
    IdempotencyKey.objects.create(user=user, key=key, sha256=document.sha256, document=document)
