from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from indexing import engine, fitting, frequencies, reconciler
from indexing import reindex as module
from indexing.models import IndexVersion, TermFrequencies
from indexing.reindex import ReindexError, reindex
from library.models import Chunk, Document
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


def test_a_language_should_be_stemmed_as_such_from_its_first_document_on(people: People) -> None:
    ready_document(people.library)
    german = (
        "Die Mitarbeiter bekommen jedes Jahr dreißig Urlaubstage, die sie bis zum Ende des Jahres nehmen."
    )
    ready_document(people.library, german, "urlaub.txt")
    (hit, *_) = search(people.owner, "Mitarbeitern", rerank=False).hits
    assert hit.chunk.document.name == "urlaub.txt"
    assert hit.scores["lexical"]  # English stemming would not bring the two forms together


def test_reindex_should_count_the_terms_again(people: People) -> None:
    ready_document(people.library)
    TermFrequencies.objects.update(passages=7, data=b"", terms=0)
    reindex()
    (part,) = frequencies.of_libraries([people.library.pk])
    assert part.passages == 1 and len(part.terms) > 0


def test_a_large_enough_library_should_get_a_rotated_encoder_and_weights_of_its_own(
    people: People, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR, settings.CHUNK_WORDS = tmp_path, 30
    text = "\n\n".join(
        f"# Part {i}\n\nPump {i} has a valve of size {i * 7}. Its motor turns {i * 13} times a minute. "
        f"Its gasket is number {i * 31} of the list."
        for i in range(220)
    )
    ready_document(people.library, text, "parts.md")
    before = search(people.owner, "which gasket has pump 17", rerank=False).hits[0]
    version = reindex()
    assert version.encoder == f"models/rotated-{version.collection}"
    assert (version.quantization, version.code_dimensions) == ("binary-query8", 256)
    assert version.fusion[str(people.library.pk)]["passages"] == Chunk.objects.count()
    assert 10 < version.lengths[str(people.library.pk)] < 60
    after = search(people.owner, "which gasket has pump 17", rerank=False).hits[0]
    assert after.chunk == before.chunk
    assert after.scores["dense"] != pytest.approx(before.scores["dense"], abs=1e-3)  # damped, too


def test_a_failed_reindex_should_leave_no_model_behind(
    people: People, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DATA_DIR = tmp_path

    def rotate(version: IndexVersion, sample: Any) -> None:
        version.encoder = f"models/rotated-{version.collection}"
        (tmp_path / version.encoder).mkdir(parents=True)
        raise OSError("disk full")

    ready_document(people.library)
    monkeypatch.setattr(fitting, "_rotate", rotate)
    with pytest.raises(OSError, match="disk full"):
        reindex()
    assert not any((tmp_path / "models").iterdir())
