from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest

from ingestion import engine, reconciler
from ingestion import reindex as module
from ingestion.models import Chunk, Document, IndexVersion
from ingestion.reindex import ReindexError, reindex
from retrieval.types import Filter
from searchapp.search import search
from tests.factories import People, ready_document


def all_chunks() -> set[str]:
    return {str(pk) for pk in Chunk.objects.values_list("pk", flat=True)}


def test_reindex_should_fill_a_new_version_and_switch_to_it(people: People) -> None:
    ready_document(people.library)
    before = engine.live_version()
    after = reindex()
    assert after == engine.live_version() != before
    assert set(engine.index().ids(after.collection)) == all_chunks()
    assert set(engine.index().ids(engine.LIVE_ALIAS)) == all_chunks()
    assert search(people.owner, "leave", rerank=False).hits


def test_reindex_should_serve_fewer_dimensions_when_settings_ask(people: People, settings: Any) -> None:
    ready_document(people.library)
    settings.DIMENSIONS = 128
    assert reindex().dimensions == 128
    assert search(people.owner, "leave", rerank=False).hits


def test_reindex_should_keep_the_last_version_for_a_rollback_and_drop_older_ones(people: People) -> None:
    ready_document(people.library)
    versions = [engine.live_version(), reindex(), reindex()]
    kept = {versions[1].collection, versions[2].collection}
    assert set(engine.index().collections()) == kept
    assert set(IndexVersion.objects.values_list("collection", flat=True)) == kept


def test_a_failed_reindex_should_remove_only_what_is_new(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready_document(people.library)
    live = engine.live_version()
    monkeypatch.setattr(module, "_copy", lambda version, progress: None)
    with pytest.raises(ReindexError, match="1 chunks are missing"):
        reindex()
    assert engine.live_version() == live
    assert engine.index().collections() == [live.collection]


@pytest.mark.django_db(transaction=True)
def test_no_query_should_fail_while_the_index_is_switched() -> None:
    from tests.factories import people as make_people

    people = make_people()
    ready_document(people.library)
    done, failures, answers = threading.Event(), [], 0

    def ask() -> None:
        nonlocal answers
        from django.db import connection

        while not done.is_set():
            try:
                answers += len(search(people.owner, "leave", rerank=False).hits)
            except Exception as error:
                failures.append(error)
        connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    for _ in range(3):
        reindex()
    done.set()
    thread.join()
    assert failures == []
    assert answers > 0


def test_the_reconciler_should_write_missing_points_and_remove_orphans(people: People) -> None:
    kept = ready_document(people.library, "A document that lost its points.", "kept.txt")
    lost = ready_document(people.library, "A document that lost its row.", "lost.txt")
    collection = engine.live_version().collection
    engine.index().delete(collection, [str(c.pk) for c in kept.chunks.all()])
    Document.objects.filter(pk=lost.pk).delete()

    busy = reconciler.run()
    assert (busy.removed, busy.written) == (1, 0), "what has just changed is left to settle"
    at_once = timedelta(0)
    assert reconciler.run(at_once) == reconciler.Report(removed=0, written=1)
    assert set(engine.index().ids(collection)) == all_chunks()
    assert engine.index().count(collection, Filter({"document": [str(kept.pk)]})) == 1
    assert reconciler.run(at_once) == reconciler.Report(removed=0, written=0)
