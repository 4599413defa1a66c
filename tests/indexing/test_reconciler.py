from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from indexing import reconciler
from ingestion import documents
from library.models import Chunk, Document
from tests.factories import People, document, ready_document
from tests.ingestion.test_pipeline import chunk_ids, points_of

AT_ONCE = timedelta(0)


def test_points_of_another_version_should_be_replaced_though_they_are_as_many(people: People) -> None:
    """The database is restored from yesterday: it knows version 1, the index version 2."""
    stored = ready_document(people.library, "Leave is 25 days.")
    yesterday = list(stored.chunks.all())
    ready_document(people.library, "Leave is 28 days.")
    Chunk.objects.all().delete()
    Chunk.objects.bulk_create(yesterday)
    Document.objects.update(version=1, active_version=1)
    assert reconciler.run(AT_ONCE) == reconciler.Report(removed=1, written=1)
    assert points_of(stored) == chunk_ids(stored)
    assert reconciler.run(AT_ONCE) == reconciler.Report(removed=0, written=0)


def stored_names() -> set[str]:
    return {f"{f}/{name}" for f in default_storage.listdir("")[0] for name in default_storage.listdir(f)[1]}


def test_files_that_no_document_names_should_go_after_a_while_only(
    people: People, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = document(people.library).file.name
    key = uuid.uuid4().hex
    left = default_storage.save(f"{key[:2]}/{key}", ContentFile(b"its request was killed before its row"))
    (Path(settings.MEDIA_ROOT) / "notes.txt").write_text("an admin's own")
    assert reconciler.remove_unnamed_files() == 0
    week = timezone.now() + timedelta(days=7, minutes=1)
    monkeypatch.setattr(timezone, "now", lambda: week)
    assert reconciler.remove_unnamed_files() == 1
    assert stored_names() == {named} != {left}
    assert (Path(settings.MEDIA_ROOT) / "notes.txt").exists()


def test_a_replaced_document_should_keep_its_title_until_the_new_one_is_read(people: People) -> None:
    ready_document(people.library, "# The handbook\n\nLeave is 25 days.", "leave.md")
    replaced = document(people.library, "# Another\n\nLeave is 28 days.", "leave.md")
    assert replaced.title == "The handbook"
    documents.retry(replaced)
    again = ready_document(people.library, "# Third\n\nLeave is 29 days.", "leave.md")
    assert again.title == "Third"
