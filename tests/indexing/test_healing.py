"""An index that lost points: noticed, told, and built anew by one worker."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from indexing import engine, healing, passages, reindex, tasks
from indexing.healing import IndexRebuildingError
from indexing.models import IndexVersion
from ingestion import documents, pipeline
from library.models import Chunk, Document
from retrieval.index import IndexSettings, open_index
from searchapp.search import search
from tests.factories import People, document, ready_document
from tests.retrieval.index.conftest import first_line, process

AT_ONCE = timedelta(0)


@pytest.fixture(params=["edge", "server"])
def lose(
    request: pytest.FixtureRequest, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """Call it, and everything that the index held is gone, as after its volume was wiped."""
    if request.param == "edge":

        def wipe() -> None:
            engine.close_index()
            shutil.rmtree(settings.INDEX_DIR)

        yield wipe
        return
    with process("tests.support.qdrant_server", "--folder", tmp_path / "qdrant") as server:
        settings.QDRANT_URL = first_line(server)

        def drop_all() -> None:
            other = open_index(IndexSettings(tmp_path, settings.QDRANT_URL))
            for name in other.collections():
                other.drop(name)
            other.close()

        yield drop_all
        engine.close_index()


def many_documents(people: People, count: int) -> list[Document]:
    return [ready_document(people.library, f"Door {n} is painted green.", f"{n}.txt") for n in range(count)]


def ids_in_index() -> set[str]:
    return set(engine.index().ids(engine.live_version().collection))


def all_chunks() -> set[str]:
    return {str(pk) for pk in Chunk.objects.values_list("pk", flat=True)}


def test_a_lost_index_should_be_built_anew_when_a_second_look_finds_the_same(
    people: People, lose: Callable[[], None]
) -> None:
    ready_document(people.library)
    before = engine.live_version()
    lose()
    healing.heal()
    assert engine.live_version().pk == before.pk, "one look may be a moment in which a cluster forms"
    assert not engine.live_version().answers
    IndexVersion.objects.update(lost_at=timezone.now() - healing.CONFIRM)
    healing.heal()
    after = engine.live_version()
    assert (after.answers, after.lost_at) == (True, None)
    assert ids_in_index() == all_chunks()
    assert search(people.owner, "leave", rerank=False).hits
    assert list(IndexVersion.objects.all()) == [after], "nothing can be rolled back to what was lost"
    assert (after.encoder, after.dimensions, after.fusion) == (
        before.encoder,
        before.dimensions,
        before.fusion,
    )


def test_a_search_should_be_the_first_to_notice_and_say_so(
    people: People, lose: Callable[[], None], client: Client
) -> None:
    ready_document(people.library)
    lose()
    api = APIClient()
    api.force_authenticate(people.owner)
    answer = api.post("/api/v1/search", {"query": "leave"}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (503, "index_rebuilding")
    assert int(answer["Retry-After"]) > 0
    client.force_login(people.owner)
    page = client.get("/", {"q": "leave"})
    assert (page.status_code, int(page["Retry-After"]) > 0) == (503, True)
    assert "Search is being rebuilt" in page.content.decode()
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert (ready.json()["not_ready"], ready.json()["index_rebuilding"]) == (["index"], {"percent": 0})
    healing.heal(AT_ONCE)
    assert client.get("/readyz").json()["ready"]
    assert api.post("/api/v1/search", {"query": "leave"}, format="json").json()["hits"]


def test_an_index_that_does_not_answer_should_be_waited_for(people: People, settings: Any) -> None:
    ready_document(people.library)
    live = engine.live_version()
    engine.close_index()
    settings.QDRANT_URL = "http://127.0.0.1:9"  # where nobody listens
    healing.heal(AT_ONCE)
    assert engine.live_version().lost_at is None
    engine.close_index()
    settings.QDRANT_URL = ""
    healing.heal(AT_ONCE)
    assert engine.live_version() == live


def test_a_server_that_fails_should_be_waited_for(people: People, settings: Any, tmp_path: Path) -> None:
    with process("tests.support.qdrant_server", "--folder", tmp_path / "qdrant") as server:
        settings.QDRANT_URL = first_line(server)
        ready_document(people.library)
        live = engine.live_version()
        for faults in ({"status": 500}, {"status": 503}, {"drop": True}, {}):
            body = json.dumps(faults).encode()
            urlopen(Request(f"{settings.QDRANT_URL}/_faults", body, method="POST")).read()
            healing.heal(AT_ONCE)
            assert (engine.live_version().pk, engine.live_version().lost_at) == (live.pk, None)
        engine.close_index()


def test_points_of_an_ingest_that_has_no_rows_yet_should_not_count(people: People) -> None:
    stored = many_documents(people, 3)
    live = engine.live_version()
    chunks = list(Chunk.objects.filter(document__in=stored[1:]).select_related("document"))
    Chunk.objects.filter(document__in=stored[1:]).delete()
    engine.index().upsert(live.collection, pipeline.points(live, chunks))
    healing.heal(AT_ONCE)
    assert (engine.live_version().pk, engine.live_version().lost_at) == (live.pk, None)


def test_a_document_replaced_during_the_look_should_not_count(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = ready_document(people.library)
    live, vectors = engine.live_version(), engine.index().vectors

    def replaced_meanwhile(collection: str, ids: list[str]) -> Any:
        documents.delete(stored)
        return vectors(collection, ids)

    monkeypatch.setattr(engine.index(), "vectors", replaced_meanwhile)
    assert healing.missing_share(live) == 0


def test_few_missing_points_should_be_left_to_the_reconciler(people: People) -> None:
    stored = many_documents(people, 12)
    live = engine.live_version()
    engine.index().delete(live.collection, [str(stored[0].chunks.get().pk)])
    assert 0 < healing.missing_share(live) < healing.SHARE
    healing.heal(AT_ONCE)
    assert engine.live_version() == live
    Document.objects.update(updated_at=timezone.now() - timedelta(minutes=6))
    tasks.reconcile()
    assert ids_in_index() == all_chunks()


def test_what_is_there_should_be_found_while_a_third_is_missing(people: People, client: Client) -> None:
    stored = many_documents(people, 3)
    live = engine.live_version()
    engine.index().delete(live.collection, [str(stored[0].chunks.get().pk)])
    healing.heal()
    page = search(people.owner, "green door", rerank=False)
    assert len(page.hits) == 2
    assert "index_rebuilding" in page.degraded
    client.force_login(people.owner)
    assert "some results are missing" in client.get("/", {"q": "green door"}).content.decode()
    assert not client.get("/readyz").json()["ready"]
    healing.heal(AT_ONCE)
    assert len(search(people.owner, "green door", rerank=False).hits) == 3


def test_an_index_that_came_back_should_be_used_again(people: People) -> None:
    ready_document(people.library)
    live = engine.live_version()
    healing.note_loss(live, 1.0)
    with pytest.raises(IndexRebuildingError):
        search(people.owner, "leave", rerank=False)
    healing.heal()
    assert engine.live_version() == live
    assert search(people.owner, "leave", rerank=False).hits


def test_one_worker_alone_should_rebuild_and_a_killed_one_be_replaced(
    people: People, lose: Callable[[], None]
) -> None:
    ready_document(people.library)
    lose()
    lost = engine.live_version()
    other = healing._same_again(lost)
    other.progress, other.lease_until = 0.42, timezone.now() + timedelta(seconds=45)
    other.save()
    healing.heal(AT_ONCE)
    assert engine.live_version().pk == lost.pk, "another worker is at it"
    with pytest.raises(IndexRebuildingError, match="42 % done"):
        search(people.owner, "leave", rerank=False)
    IndexVersion.objects.filter(pk=other.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    healing.heal(AT_ONCE)
    assert search(people.owner, "leave", rerank=False).hits
    assert not IndexVersion.objects.filter(pk=other.pk).exists()


def test_two_builders_should_never_be_at_it_at_once(people: People) -> None:
    ready_document(people.library)
    live = engine.live_version()
    mine, other = healing._same_again(live), healing._same_again(live)
    other.save()
    with pytest.raises(reindex.ReindexError, match="took over"):
        reindex._announce(mine)


def test_uploads_should_go_on_during_a_rebuild_and_be_found_after_it(
    people: People, lose: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    many_documents(people, 2)
    lose()
    copy = reindex._copy
    waiting = document(people.library, "The lift is serviced in May.", "lift.txt")

    def upload_meanwhile(version: IndexVersion, progress: Any) -> None:
        copy(version, progress)
        pipeline.run(waiting.pk)

    monkeypatch.setattr(reindex, "_copy", upload_meanwhile)
    pipeline.run(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == ("queued", 0), "nobody builds yet, so it waits"
    healing.heal(AT_ONCE)
    healing.heal(AT_ONCE)
    waiting.refresh_from_db()
    assert waiting.status == "ready"
    assert ids_in_index() == all_chunks()
    assert search(people.owner, "lift", rerank=False).hits[0].chunk.document == waiting


def test_the_progress_should_be_in_the_row_while_it_is_built(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_documents(people, 4)
    monkeypatch.setattr(passages, "BATCH", 1)
    seen = []

    def look(done: int, total: int) -> None:
        seen.append(healing.rebuilding().percent)

    reindex.reindex(progress=look)
    assert seen == [25, 50, 75, 100]
