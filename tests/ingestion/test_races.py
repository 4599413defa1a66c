"""What happens when two workers, a worker and a re-index, or two requests meet at the worst moment."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.utils import timezone

from indexing import engine
from indexing import reindex as reindexing
from indexing.models import IndexVersion
from indexing.reindex import ReindexError, reindex
from ingestion import claims, documents, pipeline
from library import heartbeat
from library.models import Access, Chunk, Document, Status
from tests.factories import People, document, ready_document
from tests.ingestion.test_documents import stored_files
from tests.ingestion.test_pipeline import chunk_ids, points_of


def before(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, act: Callable[[], Any]) -> None:
    """Let something happen once, just before a step."""
    step = getattr(module, name)

    def with_act(*args: Any) -> Any:
        monkeypatch.setattr(module, name, step)
        act()
        return step(*args)

    monkeypatch.setattr(module, name, with_act)


def test_a_worker_that_lost_its_claim_should_leave_the_points_of_the_one_that_has_it(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = document(people.library)

    def another_worker() -> None:
        Document.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        pipeline.run(stored.pk)

    before(monkeypatch, pipeline, "_publish", another_worker)
    pipeline.run(stored.pk)
    stored.refresh_from_db()
    assert stored.status == Status.READY
    assert points_of(stored) == chunk_ids(stored) != set()


def test_a_document_published_while_a_reindex_begins_should_be_in_both_versions(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready_document(people.library, "There before.", "before.txt")
    late = document(people.library, "Its points are written, its rows are not.", "late.txt")
    before(monkeypatch, reindexing, "_switch", lambda: pipeline.run(late.pk))
    looks: list[int] = []

    def versions() -> list[IndexVersion]:
        """The first look is of the moment before the re-index."""
        looks.append(1)
        return engine.written_versions()[: 1 if len(looks) == 1 else None]

    monkeypatch.setattr(pipeline, "written_versions", versions)
    after = reindex()
    late.refresh_from_db()
    assert late.status == Status.READY
    assert set(engine.index().ids(after.collection)) >= chunk_ids(late) != set()


def test_a_reindex_should_pass_its_check_while_documents_are_published_and_replaced(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ready_document(people.library, "Leave is 25 days.")
    ids = engine.index().ids

    def ids_between_changes(collection: str) -> list[str]:
        ready_document(people.library, "Leave is 28 days.")
        seen = list(ids(collection))
        ready_document(people.library, "Another text.", "another.txt")
        return seen

    monkeypatch.setattr(engine.index(), "ids", ids_between_changes)
    after = reindex()
    monkeypatch.undo()
    assert set(engine.index().ids(after.collection)) >= chunk_ids(first) != set()


def test_a_reindex_should_not_bring_back_what_is_deleted_meanwhile(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = ready_document(people.library, "It stays.", "kept.txt")
    gone = ready_document(people.library, "It goes.", "gone.txt")
    before(monkeypatch, reindexing, "points", lambda: documents.delete(gone))
    after = reindex()
    assert set(engine.index().ids(after.collection)) == chunk_ids(kept)


def test_a_document_replaced_before_it_is_deleted_should_leave_no_file(people: People) -> None:
    seen = document(people.library, "The text that the person saw.")
    document(people.library, "The text of a moment ago.")
    documents.delete(seen)
    assert stored_files() == 0


def test_a_reindex_should_clear_away_one_that_was_killed(people: People) -> None:
    ready_document(people.library)
    killed = engine.new_version()
    killed.save()
    after = reindex()
    assert engine.live_version() == after
    assert not IndexVersion.objects.filter(state=IndexVersion.State.BUILDING).exists()
    assert killed.collection not in engine.index().collections()


@pytest.mark.parametrize("step", ["_copy", "_check", "_switch"])
def test_of_two_reindexes_the_newer_should_win(
    people: People, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    ready_document(people.library)
    before(monkeypatch, reindexing, step, reindex)
    with pytest.raises(ReindexError, match="took over"):
        reindex()
    live = IndexVersion.objects.get(state=IndexVersion.State.LIVE)
    assert set(engine.index().ids(live.collection)) == {str(c.pk) for c in Chunk.objects.all()}
    assert not IndexVersion.objects.filter(state=IndexVersion.State.BUILDING).exists()


def test_documents_should_wait_while_the_index_is_lost(people: People) -> None:
    engine.index().drop(engine.live_version().collection)
    stored = document(people.library)
    pipeline.run(stored.pk)
    stored.refresh_from_db()
    assert (stored.status, stored.attempts) == (Status.QUEUED, 0)


def test_a_name_that_comes_twice_at_once_should_become_two_versions(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Postgres locks no row that is not there yet, so both requests may try to make it."""
    write, calls = documents._write_row, []

    def too_late(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 1:
            document(people.library, "The other request's text.")
            raise IntegrityError("one_document_per_name")
        return write(*args)

    monkeypatch.setattr(documents, "_write_row", too_late)
    stored = document(people.library, "This request's text.")
    assert (stored.name, stored.version) == ("leave.txt", 2)


def test_a_lease_should_outlive_a_database_that_is_away(
    people: People, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stored = document(people.library)
    claim = claims.claim_document(stored.pk)
    assert claim is not None
    beats: list[int] = []

    def update(self: claims.Claim, **fields: Any) -> bool:
        beats.append(1)
        if len(beats) == 1:
            raise OperationalError("the server closed the connection")
        return True

    monkeypatch.setattr(heartbeat, "HEARTBEAT_S", 0.01)
    monkeypatch.setattr(claims.Claim, "_update", update)
    with caplog.at_level(logging.WARNING), claim.heartbeat():
        while len(beats) < 3:
            time.sleep(0.01)
    assert "could not be renewed" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_people_who_are_added_at_once_should_all_be_there() -> None:
    from django.db import connection

    from tests.factories import people as make_people
    from tests.factories import user
    from tests.pages import client_of

    people = make_people()
    added = [user(f"person-{n}").username for n in range(12)]
    statuses: list[int] = []

    def add(names: list[str]) -> None:
        browser = client_of(people.owner)
        for name in names:
            answer = browser.post(f"/libraries/{people.library.pk}/members/", {"name": name, "role": "1"})
            statuses.append(answer.status_code)
        connection.close()

    threads = [threading.Thread(target=add, args=[added[n::4]]) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [302] * 12
    assert Access.objects.filter(library=people.library).count() == 2 + 12
