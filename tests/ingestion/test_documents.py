from __future__ import annotations

from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from ingestion import documents, pipeline
from library.errors import UploadError
from library.models import Chunk, Document, Status
from tests.factories import People, document, ready_document


def stored_files() -> int:
    folders, files = default_storage.listdir("") if default_storage.exists("") else ([], [])
    return len(files) + sum(len(default_storage.listdir(folder)[1]) for folder in folders)


def test_create_should_store_the_file_and_queue_the_document(people: People) -> None:
    stored = document(people.library, "Leave is 25 days a year.")
    assert stored.status == Status.QUEUED
    with stored.file.open() as content:
        assert content.read() == b"Leave is 25 days a year."
    assert (stored.type, stored.size, stored.version) == ("txt", 24, 1)


def test_create_should_refuse_the_same_bytes_under_another_name_and_say_where_they_are(
    people: People,
) -> None:
    first = ready_document(people.library)
    with pytest.raises(documents.DuplicateError) as refusal:
        document(people.library, name="copy.txt")
    assert refusal.value.document == first
    assert stored_files() == 1


def test_create_should_accept_the_same_bytes_in_another_library(people: People) -> None:
    from library.models import Library

    document(people.library)
    document(Library.objects.create(name="Other"))
    assert Document.objects.count() == 2


def test_create_under_the_same_name_should_make_a_new_version_and_let_the_old_file_go(people: People) -> None:
    first = ready_document(people.library, "Leave is 25 days.")
    second = document(people.library, "Leave is 28 days.")
    assert second.pk == first.pk
    assert (second.version, second.active_version, second.status) == (2, 1, Status.QUEUED)
    assert stored_files() == 1


def test_create_should_try_a_failed_file_again(people: People) -> None:
    stored = document(people.library)
    Document.objects.update(status=Status.FAILED, error_code="timeout", attempts=3)
    again = document(people.library)
    assert (again.pk, again.status, again.attempts, again.error_code) == (stored.pk, Status.QUEUED, 0, "")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.txt", b"", "empty"),
        ("run.exe", b"MZ", "type_not_allowed"),
        ("report.pdf", b"no pdf at all", "type_mismatch"),
        ("a/../b.txt", b"text", "bad_name"),
        ("x" * 300 + ".txt", b"text", "bad_name"),
    ],
)
def test_create_should_refuse_what_may_not_come_in(
    people: People, name: str, content: bytes, code: str
) -> None:
    with pytest.raises(UploadError) as refusal:
        documents.create(people.library, name, ContentFile(content))
    assert refusal.value.code == code
    assert Document.objects.count() == stored_files() == 0


def test_create_should_refuse_a_file_over_the_limit(people: People, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 2**20
    with pytest.raises(UploadError) as refusal:
        documents.create(people.library, "big.txt", ContentFile(b"a" * (2**20 + 1)))
    assert (refusal.value.code, refusal.value.status) == ("too_large", 413)


def test_create_should_leave_no_file_when_the_row_cannot_be_written(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any) -> Any:
        raise OSError("disk full")

    monkeypatch.setattr(documents, "_write_row", fail)
    with pytest.raises(OSError, match="disk full"):
        document(people.library)
    assert stored_files() == 0


def test_delete_should_remove_row_chunks_points_and_file(people: People) -> None:
    from indexing import engine

    stored = ready_document(people.library)
    documents.delete(stored)
    assert Document.objects.count() == Chunk.objects.count() == stored_files() == 0
    assert engine.index().count(engine.live_version().collection) == 0


def test_read_again_should_show_the_old_passages_until_the_new_ones_are_ready(people: People) -> None:
    made = ready_document(people.library, "Leave is 25 days.", "leave.txt")
    waits = document(people.library, name="waits.txt")
    old = set(Chunk.objects.values_list("pk", flat=True))
    assert documents.read_again() == [made.pk]
    made.refresh_from_db()
    assert (made.status, made.version, made.active_version) == (Status.QUEUED, 2, 1)
    assert set(Chunk.objects.values_list("pk", flat=True)) == old
    pipeline.run(made.pk)
    made.refresh_from_db()
    assert (made.status, made.active_version) == (Status.READY, 2)
    assert old.isdisjoint(Chunk.objects.values_list("pk", flat=True))
    waits.refresh_from_db()
    assert waits.version == 1
