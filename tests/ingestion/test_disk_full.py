from __future__ import annotations

import errno
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from library.models import Document
from library.storage import DurableStorage
from tests.factories import People
from tests.pages import client_of as browser_of
from tests.pages import text_of
from tests.support.rest import client_of


@pytest.fixture(autouse=True)
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def save(*args: Any) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(DurableStorage, "_save", save)


def test_the_page_should_say_that_the_disk_is_full(people: People) -> None:
    address = f"/libraries/{people.library.pk}/upload/"
    answer = browser_of(people.owner).post(address, {"file": SimpleUploadedFile("leave.txt", b"Leave.")})
    assert answer.status_code == 200
    assert "There is no room for more documents." in text_of(answer)
    assert not Document.objects.exists()


def test_a_line_of_a_bulk_upload_should_say_that_the_disk_is_full(people: People) -> None:
    address = f"/api/v1/documents/bulk?library={people.library.pk}"
    answer = client_of(people.owner).post(
        address, '{"id": 1, "text": "Leave."}', content_type="application/x-ndjson"
    )
    assert b'"storage_full"' in b"".join(answer.streaming_content)
