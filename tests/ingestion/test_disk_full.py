from __future__ import annotations

import errno
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from indexing import engine
from ingestion import pipeline
from library.models import Document
from library.storage import DurableStorage
from operations import problems
from tests.factories import People, document, ready_document
from tests.pages import client_of as browser_of
from tests.pages import text_of
from tests.support.rest import client_of, code_of


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def save(*args: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(DurableStorage, "_save", save)


def test_the_page_should_say_that_the_disk_is_full(full: None, people: People) -> None:
    address = f"/libraries/{people.library.pk}/upload/"
    answer = browser_of(people.owner).post(address, {"file": SimpleUploadedFile("leave.txt", b"Leave.")})
    assert answer.status_code == 200
    assert "There is no room for more documents." in text_of(answer)
    assert not Document.objects.exists()


def test_a_line_of_a_bulk_upload_should_say_that_the_disk_is_full(full: None, people: People) -> None:
    address = f"/api/v1/documents/bulk?library={people.library.pk}"
    answer = client_of(people.owner).post(
        address, '{"id": 1, "text": "Leave."}', content_type="application/x-ndjson"
    )
    assert b'"storage_full"' in b"".join(answer.streaming_content)


@pytest.mark.parametrize("name", ["leave.txt", "leave.zip"])
def test_nothing_should_come_in_while_the_disk_is_nearly_full(
    people: People, settings: Any, name: str
) -> None:
    settings.MIN_FREE_BYTES = 1 << 60
    form = {"library": "Handbook", "file": SimpleUploadedFile(name, b"Leave.")}
    answer = client_of(people.owner).post("/api/v1/documents", form, format="multipart")
    assert code_of(answer, 507) == "storage_full"
    address = f"/libraries/{people.library.pk}/upload/"
    answer = browser_of(people.owner).post(address, {"file": SimpleUploadedFile(name, b"Leave.")})
    assert "There is no room for more documents." in text_of(answer)
    assert not Document.objects.exists()


def test_a_document_should_wait_for_room(people: People, settings: Any) -> None:
    ready_document(people.library)
    waiting = document(people.library, "Trips are booked by the office.", "trips.txt")
    engine.close_index()
    settings.MIN_FREE_BYTES = 1 << 60
    pipeline.run(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == ("queued", 0)
    settings.MIN_FREE_BYTES = 0
    engine.close_index()
    pipeline.run(waiting.pk)
    waiting.refresh_from_db()
    assert waiting.status == "ready"


def test_a_page_whose_form_does_not_fit_on_the_disk_should_say_so(people: People, rf: Any) -> None:
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError:
        answer = problems.server_error(rf.get("/"))
    assert answer.status_code == 507
    assert b"No room for more documents" in answer.content
