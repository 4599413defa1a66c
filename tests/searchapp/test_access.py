"""Nobody sees anything of what they may not read: not in bodies, headers, counts, facets or suggestions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from ingestion import documents
from library.models import Access, Chunk, Document, Library
from searchapp.search import search, suggest
from tests.factories import People, ready_document
from tests.pages import client_of as browser_of
from tests.searchapp.access_world import USERS, World, make_world
from tests.support.models import static_model
from tests.support.rest import client_of

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def small_engine(settings: Any, tmp_path: Path) -> None:
    settings.ENCODER, settings.DIMENSIONS = str(static_model(tmp_path / "encoder")), 12
    settings.RERANK_BACKEND = "off"


def everything(response: Any) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return "\n".join([*(f"{k}: {v}" for k, v in response.items()), content.decode("utf-8", "replace")])


def lists(world: World, person: int) -> Iterator[str]:
    """Each page and endpoint that lists or counts, as the person gets it."""
    api, browser = world.clients[person]
    ask = {"query": "dog barks", "limit": 100}
    yield everything(api.post("/api/v1/search", ask, format="json"))
    yield everything(api.post("/api/v1/search", {**ask, "filters": {"type": ["txt"]}}, format="json"))
    yield everything(browser.get("/?q=dog&page=2"))
    yield everything(browser.get("/?q=dog&type=txt", headers=HTMX))
    for address in ("/api/v1/suggest?q=dog", "/api/v1/documents?limit=200", "/api/v1/libraries?limit=200"):
        yield everything(api.get(address))
    for address in ("/", "/?q=dog", "/libraries/", "/account/", "/metrics", "/readyz"):
        yield everything(browser.get(address))
    for name in sorted(world.readable(person) & world.libraries.keys()):
        address, rest = f"/libraries/{world.libraries[name].pk}/", world.canaries - world.home.keys() - {name}
        shelf = everything(browser.get(address)) + everything(browser.get(f"{address}?name=zq", headers=HTMX))
        assert not [c for c, home in world.home.items() if home in rest and c in shelf], shelf
        yield shelf


def foreign_things(world: World, person: int) -> Iterator[Any]:
    """The answers to a person who names, by id, each thing that they may not read."""
    api, browser = world.clients[person]
    foreign = world.canaries - world.readable(person)
    marks = sorted(foreign & world.documents.keys())
    for mark in marks:
        stored = world.documents[mark]
        chunk = Chunk.objects.get(document=stored).pk
        yield api.get(f"/api/v1/documents/{stored.pk}")
        yield api.get(f"/api/v1/documents/{stored.pk}/text?passages=true")
        yield api.get(f"/api/v1/documents/{stored.pk}/file")
        yield api.delete(f"/api/v1/documents/{stored.pk}")
        yield browser.get(f"/documents/{stored.pk}/?chunk={chunk}")
        yield browser.get(f"/documents/{stored.pk}/file/")
        yield browser.post(f"/documents/{stored.pk}/{world.rng.choice(['retry', 'delete'])}/")
    for name in sorted(foreign & world.libraries.keys()):
        pk = world.libraries[name].pk
        yield api.get(f"/api/v1/libraries/{pk}")
        yield api.get(f"/api/v1/libraries/{pk}/access")
        yield api.put(f"/api/v1/libraries/{pk}/access", {"access": []}, format="json")
        yield api.patch(f"/api/v1/libraries/{pk}", {"name": "mine"}, format="json")
        yield api.delete(f"/api/v1/libraries/{pk}")
        yield api.get(f"/api/v1/documents?library={pk}")
        yield api.get(f"/api/v1/documents?library=Shelf {name}")
        yield api.post("/api/v1/search", {"query": "dog", "libraries": [str(pk)]}, format="json")
        yield api.post("/api/v1/search", {"query": "dog", "libraries": [f"Shelf {name}"]}, format="json")
        yield api.post(f"/api/v1/documents/bulk?library={pk}", "{}", content_type="application/x-ndjson")
        # The bytes of a document that is there: "duplicate" would say so.
        copied = next((m for m in marks if world.home[m] == name), "")
        file = SimpleUploadedFile("copy.txt", f"The dog barks in {copied}.".encode())
        yield api.post("/api/v1/documents", {"library": str(pk), "file": file})
        yield browser.get(f"/libraries/{pk}/")
        yield browser.get(f"/libraries/{pk}/progress/?id={uuid4()}", headers=HTMX)
        yield browser.post(f"/libraries/{pk}/upload/", {})
        yield browser.post(f"/libraries/{pk}/members/", {"name": "user-0", "role": "3"})
        yield browser.post(f"/libraries/{pk}/members/remove/", {"user": "user-0"})


def check_lists(world: World, person: int) -> None:
    api, _ = world.clients[person]
    readable = world.readable(person)
    shown = set()
    for text in lists(world, person):
        leaked = [c for c in world.canaries - readable if c in text]
        assert not leaked, text
        shown |= {c for c in readable if c in text}
    assert shown == readable, "a test that sees nothing would prove nothing"
    mine = readable & world.documents.keys()
    answer = api.post("/api/v1/search", {"query": "dog barks", "limit": 100}, format="json").json()
    assert answer["total"] == {"value": len(mine), "relation": "eq"}
    for values in (answer["facets"]["library"], answer["facets"]["type"]):
        assert sum(value["count"] for value in values) == len(mine)


def check_foreign_things(world: World, person: int) -> None:
    readable = world.readable(person)
    for response in foreign_things(world, person):
        assert response.status_code == 404, (response.status_code, response.request)
        text = everything(response)
        assert not [c for c in world.canaries - readable if c in text], text
    assert Document.objects.count() == len(world.documents), "nothing was changed"
    assert Library.objects.count() == len(world.libraries)


def test_nobody_should_see_anything_of_what_they_may_not_read(db: None) -> None:
    world = make_world(seed=1)
    assert any(len(world.readable(n)) not in (0, len(world.canaries)) for n in range(USERS))
    for person in range(USERS):
        check_lists(world, person)
    for person in range(2):
        check_foreign_things(world, person)


def test_access_should_follow_every_change_at_once(db: None) -> None:
    world = make_world(seed=2)
    changes = [
        *(world.toggle_user_grant, world.toggle_group_grant, world.move_between_groups),
        *(world.add_document, world.delete_document, world.index_again, world.reindex),
    ]
    for step in range(14):
        changes[step % len(changes)]()
        for person in world.rng.sample(range(USERS), 2):
            check_lists(world, person)


def foreign_library() -> Library:
    return Library.objects.create(name="Hidden")


def test_what_one_may_not_read_should_not_crowd_out_what_one_may(people: People) -> None:
    """The filter works before the ranking: a hundred better passages elsewhere change nothing."""
    hidden = foreign_library()
    for number in range(6):
        lines = "\n\n".join(f"# Dog {n}\n\n" + "The dog barks in Ulm. " * 40 for n in range(20))
        ready_document(hidden, f"{lines} {number}", f"{number}.md")
    assert Chunk.objects.count() > 100
    mine = ready_document(people.library, "Cats sleep on the mat, and once a dog barks.", "cats.txt")
    page = search(people.colleague, "dog barks in Ulm")
    assert [hit.chunk.document for hit in page.hits] == [mine]
    assert (page.total, page.more) == (1, False)


def test_the_database_should_have_the_last_word_on_what_the_index_says(people: People) -> None:
    """The index takes a document for one of this library; its row says that it is of another."""
    ready_document(people.library, "The dog barks.", "dog.txt")
    Document.objects.update(library=foreign_library())
    page = search(people.colleague, "dog")
    assert (page.total, list(page.hits)) == (0, [])
    assert not any(page.facets.values())


def test_access_that_ends_during_a_search_should_count_before_anything_is_shown(people: People) -> None:
    """It ends when the candidates have been looked up, as it may while the reranker thinks."""
    ready_document(people.library, "The dog barks.", "dog.txt")

    def revoke_after_the_look_up(execute: Any, sql: str, *args: Any) -> Any:
        answer = execute(sql, *args)
        if sql.startswith("SELECT") and "active_version" in sql and '"library_chunk"' in sql:
            Access.objects.filter(user=people.colleague).delete()
        return answer

    with connection.execute_wrapper(revoke_after_the_look_up):
        page = search(people.colleague, "dog")
    assert not Access.objects.filter(user=people.colleague).exists()
    assert list(page.hits) == []


def test_suggestions_should_not_crowd_each_other_out_either(people: People) -> None:
    hidden = foreign_library()
    stored = ready_document(hidden, "The dog barks.", "dog-0.txt")
    Document.objects.bulk_create(
        Document(library=hidden, name=f"{n}", title=f"dog {n:03}", sha256=f"{n}", size=1, active_version=1)
        for n in range(210)
    )
    assert suggest(people.colleague, "dog") == []
    ready_document(people.library, "Zebras.", "zebra dog.txt")
    assert suggest(people.colleague, "dog") == ["zebra dog"]
    assert str(stored) not in suggest(people.colleague, "dog")


def test_nobody_should_judge_what_another_was_shown(people: People) -> None:
    ready_document(people.library, "The dog barks.", "dog.txt")
    shown = client_of(people.colleague).post("/api/v1/search", {"query": "dog"}, format="json").json()
    judgement = {"query_id": shown["query_id"], "chunk": shown["hits"][0]["chunk"], "useful": True}
    for other in (people.outsider, people.owner):
        assert client_of(other).post("/api/v1/feedback", judgement, format="json").status_code == 404
    assert client_of(people.colleague).post("/api/v1/feedback", judgement, format="json").status_code == 204


def test_pages_of_one_library_should_not_serve_the_rows_of_another(people: People) -> None:
    hidden = ready_document(foreign_library(), "Zebra canary.", "zebra.txt")
    browser = browser_of(people.colleague)
    rows = browser.get(f"/libraries/{people.library.pk}/progress/?id={hidden.pk}", headers=HTMX)
    assert rows.status_code == 200 and "zebra" not in everything(rows)
    mine = ready_document(people.library, "The dog barks.", "dog.txt")
    page = everything(browser.get(f"/documents/{mine.pk}/?chunk={hidden.chunks.get().pk}"))
    assert "zebra" not in page.lower()
    assert "has changed since it was found" in page, "a passage of another document is none of this one"


def test_the_same_bytes_elsewhere_should_be_no_duplicate(people: People) -> None:
    ready_document(foreign_library(), "The dog barks.", "dog.txt")
    file = SimpleUploadedFile("mine.txt", b"The dog barks.")
    answer = client_of(people.owner).post(
        "/api/v1/documents", {"library": str(people.library.pk), "file": file}
    )
    assert answer.status_code == 202


def test_documents_that_wait_elsewhere_should_not_be_counted(people: People) -> None:
    documents.create(foreign_library(), "w.txt", SimpleUploadedFile("w.txt", b"waits"))
    assert "still being read" not in everything(browser_of(people.colleague).get("/?q=zebra"))
