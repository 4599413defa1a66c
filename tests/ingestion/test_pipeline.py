from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from indexing import engine
from indexing.models import IndexVersion
from ingestion import claims, pipeline, tasks
from ingestion.parsing import ParserCrashedError
from library.models import Chunk, Document, DocumentText, Status
from retrieval.index.base import CollectionSpec, IndexUnavailableError
from retrieval.types import Filter
from tests.factories import People, document, ready_document


def points_of(stored: Document) -> set[str]:
    collection = engine.live_version().collection
    return set(engine.index().ids(collection, Filter({"document": [str(stored.pk)]})))


def chunk_ids(stored: Document) -> set[str]:
    return {str(pk) for pk in Chunk.objects.filter(document=stored).values_list("pk", flat=True)}


def test_run_should_make_chunks_points_and_text_and_end_ready(people: People) -> None:
    stored = ready_document(
        people.library,
        "# Leave\n\nEvery employee has 25 days of paid leave a year, and it is for the year.",
        "leave.md",
    )
    assert (stored.status, stored.progress, stored.active_version) == (Status.READY, 1.0, 1)
    assert stored.chunk_count == len(chunk_ids(stored)) == 1
    assert points_of(stored) == chunk_ids(stored)
    assert "25 days" in DocumentText.objects.get(document=stored).text
    assert stored.language == "en"
    assert stored.lease is None


def test_run_should_place_each_chunk_in_the_text(people: People) -> None:
    text = "\n\n".join(
        f"## Part {n}\n\n" + f"Sentence {n} of the handbook says a thing. " * 40 for n in range(5)
    )
    stored = ready_document(people.library, text, "long.md")
    whole = DocumentText.objects.get(document=stored).text
    chunks = list(stored.chunks.all())
    assert len(chunks) > 5
    assert all(whole[c.start : c.end] == c.text for c in chunks)
    assert {c.heading for c in chunks} == {f"Part {n}" for n in range(5)}


def test_run_should_name_a_document_by_its_file_where_it_has_no_title(people: People) -> None:
    assert ready_document(people.library, name="annual_leave-2025.txt").title == "annual leave 2025"


def test_a_second_delivery_should_do_nothing(people: People) -> None:
    stored = ready_document(people.library)
    before = chunk_ids(stored), stored.updated_at
    for _ in range(4):
        tasks.ingest(str(stored.pk))
    stored.refresh_from_db()
    assert (chunk_ids(stored), stored.updated_at) == before


def test_a_message_about_a_deleted_document_should_do_nothing(db: None) -> None:
    tasks.ingest(str(uuid4()))


def test_a_new_version_should_replace_chunks_and_points(people: People) -> None:
    first = ready_document(people.library, "Leave is 25 days.")
    old = chunk_ids(first)
    second = ready_document(people.library, "Leave is 28 days.")
    assert chunk_ids(second) == points_of(second)
    assert not chunk_ids(second) & old
    assert second.active_version == 2


def test_the_old_version_should_stay_visible_while_the_new_one_fails(people: People) -> None:
    first = ready_document(people.library, "Leave is 25 days.", "leave.html")
    old = chunk_ids(first)
    document(people.library, "<html><body></body></html>", "leave.html")
    pipeline.run(first.pk)
    first.refresh_from_db()
    assert (first.status, first.error_code, first.active_version) == (Status.FAILED, "no_text", 1)
    assert chunk_ids(first) == points_of(first) == old


def test_a_file_without_text_should_fail_with_a_name_and_advice(people: People) -> None:
    stored = document(people.library, " \n \n", "blank.txt")
    pipeline.run(stored.pk)
    stored.refresh_from_db()
    assert (stored.status, stored.error_code) == (Status.FAILED, "no_text")
    assert "OCR" in stored.error_message


def test_a_document_deleted_while_it_is_indexed_should_never_return(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = document(people.library)
    publish = pipeline._publish

    def delete_first(*args: Any) -> Any:
        Document.objects.all().delete()
        return publish(*args)

    monkeypatch.setattr(pipeline, "_publish", delete_first)
    pipeline.run(stored.pk)
    assert Document.objects.count() == Chunk.objects.count() == 0
    assert points_of(stored) == set()


def test_a_document_replaced_while_it_is_indexed_should_end_with_the_newest(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = document(people.library, "The old text.")
    publish = pipeline._publish

    def replace_first(*args: Any) -> Any:
        monkeypatch.setattr(pipeline, "_publish", publish)
        document(people.library, "The new text.")
        return publish(*args)

    monkeypatch.setattr(pipeline, "_publish", replace_first)
    pipeline.run(stored.pk)
    stored.refresh_from_db()
    assert (stored.status, stored.active_version) == (Status.QUEUED, None)
    pipeline.run(stored.pk)
    assert [c.text for c in Chunk.objects.all()] == ["The new text."]
    assert points_of(stored) == chunk_ids(stored)


def test_a_crash_between_upsert_and_commit_should_leave_nothing_extra_after_the_next_attempt(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*args: Any) -> Any:
        raise Killed

    stored = document(people.library)
    monkeypatch.setattr(pipeline, "_publish", die)
    with pytest.raises(Killed):
        pipeline.run(stored.pk)
    assert points_of(stored) and not chunk_ids(stored)
    monkeypatch.undo()
    Document.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    pipeline.run(stored.pk)
    stored.refresh_from_db()
    assert stored.status == Status.READY
    assert points_of(stored) == chunk_ids(stored)


def test_a_parser_that_crashes_should_be_tried_three_times_then_quarantined(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*args: Any, **kw: Any) -> Any:
        raise ParserCrashedError("The parser process was killed.")

    monkeypatch.setattr(pipeline, "parse_document", crash)
    stored = document(people.library)
    states = []
    for _ in range(4):
        pipeline.run(stored.pk)
        stored.refresh_from_db()
        states.append((stored.status, stored.attempts))
    assert states == [
        (Status.QUEUED, 1),
        (Status.QUEUED, 2),
        (Status.QUARANTINED, 3),
        (Status.QUARANTINED, 3),
    ]
    assert stored.error_code == "parser_crashed"


def test_a_worker_that_dies_three_times_should_quarantine_its_file(people: People) -> None:
    stored = document(people.library)
    for _ in range(3):
        assert claims.claim_document(stored.pk) is not None
        Document.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert claims.claim_document(stored.pk) is None
    stored.refresh_from_db()
    assert (stored.status, stored.error_code) == (Status.QUARANTINED, "crashed")


def test_an_index_that_is_away_should_cost_no_attempt(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> Any:
        raise IndexUnavailableError

    monkeypatch.setattr(pipeline, "_index", away)
    stored = document(people.library)
    for _ in range(5):
        pipeline.run(stored.pk)
    stored.refresh_from_db()
    assert (stored.status, stored.attempts) == (Status.QUEUED, 0)
    monkeypatch.undo()
    pipeline.run(stored.pk)
    stored.refresh_from_db()
    assert stored.status == Status.READY


def test_only_one_of_two_workers_should_get_a_document(people: People) -> None:
    stored = document(people.library)
    assert claims.claim_document(stored.pk) is not None
    assert claims.claim_document(stored.pk) is None


def test_a_worker_that_lost_its_lease_should_change_nothing(people: People) -> None:
    stored = document(people.library)
    slow = claims.claim_document(stored.pk)
    assert slow is not None
    Document.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert claims.claim_document(stored.pk) is not None
    slow.fail("timeout", "too late")
    assert not slow.publish(title="stolen")
    stored.refresh_from_db()
    assert (stored.status, stored.title) == (Status.PARSING, "")


def test_the_sweep_should_ring_for_what_waits_and_for_lost_leases_only(people: People) -> None:
    past, future = timezone.now() - timedelta(minutes=1), timezone.now() + timedelta(minutes=1)
    for number, fields in enumerate(
        [
            {"status": Status.QUEUED, "dispatch_at": past},
            {"status": Status.QUEUED, "dispatch_at": future},
            {"status": Status.PARSING, "lease_until": past},
            {"status": Status.INDEXING, "lease_until": future},
            {"status": Status.FAILED, "dispatch_at": past},
        ]
    ):
        stored = document(people.library, f"text {number}", f"{number}.txt")
        Document.objects.filter(pk=stored.pk).update(**fields)
    assert tasks.sweep() == 2


def test_new_documents_should_also_go_to_an_index_that_is_being_built(people: People) -> None:
    building = engine.new_version()
    building.save()
    engine.index().create(building.collection, CollectionSpec(building.dimensions))
    stored = ready_document(people.library)
    assert set(engine.index().ids(building.collection)) == chunk_ids(stored)
    assert IndexVersion.objects.get(state="live").collection != building.collection
