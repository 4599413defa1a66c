"""Small real objects for the tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile

LEAVE = "Leave is 25 days a year."


@dataclass(frozen=True)
class People:
    library: Any
    owner: Any
    colleague: Any
    outsider: Any


def user(name: str) -> Any:
    from django.contrib.auth import get_user_model

    return get_user_model().objects.create_user(name, password=f"{name}-pass-123")


def people(library_name: str = "Handbook") -> People:
    from library.models import Access, Library, Role

    library = Library.objects.create(name=library_name)
    owner, colleague, outsider = user("owner"), user("colleague"), user("outsider")
    Access.objects.create(library=library, user=owner, role=Role.MANAGER)
    Access.objects.create(library=library, user=colleague, role=Role.VIEWER)
    return People(library, owner, colleague, outsider)


def document(library: Any, text: str = LEAVE, name: str = "leave.txt", **details: Any) -> Any:
    """A document that waits to be ingested."""
    from ingestion import documents

    content = ContentFile(text.encode())
    return documents.create(library, name, content, details=documents.Details(**details))


def ready_document(library: Any, text: str = LEAVE, name: str = "leave.txt", **details: Any) -> Any:
    """A document that search finds."""
    from ingestion import pipeline

    stored = document(library, text, name, **details)
    pipeline.run(stored.pk)
    stored.refresh_from_db()
    assert stored.status == "ready", stored.error_message
    return stored
