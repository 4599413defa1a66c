from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache

from indexing import engine
from library.models import Access, Document, Library, Role
from retrieval.index.base import IndexUnavailableError
from searchapp.models import Feedback
from tests.factories import People, ready_document
from tests.support.models import static_model
from tests.support.rest import client_of, code_of

URL = "/api/v1/search"
DOGS, CATS, SECRET = "The dog barks in Ulm.", "Cats sleep on the mat.", "Zebra canary, the dog was sold."


@pytest.fixture(autouse=True)
def small_engine(settings: Any, tmp_path: Path) -> None:
    settings.ENCODER, settings.DIMENSIONS = str(static_model(tmp_path / "encoder")), 12
    settings.RERANK_BACKEND = "off"


@pytest.fixture
def dogs(people: People) -> Document:
    hidden = Library.objects.create(name="Hidden")
    ready_document(hidden, SECRET, "canary.txt")
    ready_document(people.library, CATS, "cats.md", title="Cats at home", tags=("pets", "quiet"))
    found: Document = ready_document(people.library, DOGS, "dogs.txt", title="Dogs of Ulm", tags=("pets",))
    return found


def ask(user: Any, query: Any = "dog barks", **fields: Any) -> Any:
    return client_of(user).post(URL, {"query": query, **fields}, format="json")


def titles(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [hit["title"] for hit in answer.json()["hits"]]


def test_search_should_answer_with_passages(people: People, dogs: Document) -> None:
    body = ask(people.colleague).json()
    assert set(body) == {
        "query_id",
        "took_ms",
        "total",
        "degraded",
        "reranked",
        "reranked_count",
        "hits",
        "facets",
    }
    assert (body["reranked"], body["reranked_count"], body["degraded"]) == (False, 0, ["rerank_off"])
    assert body["total"] == {"value": 2, "relation": "eq"}
    assert body["took_ms"] > 0
    hit = body["hits"][0]
    chunk = dogs.chunks.get()
    assert hit == {
        "document": str(dogs.pk),
        "chunk": str(chunk.pk),
        "name": "dogs.txt",
        "title": "Dogs of Ulm",
        "type": "txt",
        "language": "en",
        "date": None,
        "library": {"id": str(people.library.pk), "name": "Handbook"},
        "url": f"http://testserver/documents/{dogs.pk}/?chunk={chunk.pk}#passage",
        "snippet": DOGS,
        "highlights": [[4, 7], [8, 13]],
        "page": None,
        "heading": None,
        "score": pytest.approx(1, abs=1),
    }
    assert {f["value"]: f["count"] for f in body["facets"]["type"]} == {"txt": 1, "md": 1}


def test_scores_should_be_shown_to_admins_who_ask_for_them(people: People, dogs: Document) -> None:
    assert "scores" not in ask(people.colleague, explain=True).json()["hits"][0]
    people.owner.is_superuser = True
    people.owner.save()
    assert "scores" not in ask(people.owner).json()["hits"][0]
    scores = ask(people.owner, explain=True).json()["hits"][0]["scores"]
    assert set(scores) == {"dense", "lexical", "fused", "rerank"}
    assert scores["rerank"] is None and scores["lexical"] > 0


def test_search_should_show_nothing_to_outsiders(people: People, dogs: Document) -> None:
    body = ask(people.outsider).json()
    assert (body["hits"], body["total"]["value"]) == ([], 0)
    assert not any(body["facets"].values())
    assert "canary" not in ask(people.colleague, "zebra canary").content.decode().lower()


def test_search_should_forget_a_person_whose_access_ends(people: People, dogs: Document) -> None:
    client = client_of(people.colleague)
    assert titles(client.post(URL, {"query": "dog"}, format="json"))
    Access.objects.filter(user=people.colleague).delete()
    assert titles(client.post(URL, {"query": "dog"}, format="json")) == []


def test_search_should_narrow_by_every_filter(people: People, dogs: Document) -> None:
    other = Library.objects.create(name="Other")
    Access.objects.create(library=other, user=people.colleague, role=Role.VIEWER)
    for filters, expected in (
        ({"type": ["md"]}, ["Cats at home"]),
        ({"type": "txt"}, ["Dogs of Ulm"]),
        ({"tags": ["quiet"]}, ["Cats at home"]),
        ({"tags": ["pets"], "type": ["txt"]}, ["Dogs of Ulm"]),
        ({"year": 1999}, []),
        ({"language": ["xx"]}, []),
    ):
        assert titles(ask(people.colleague, filters=filters)) == expected, filters
    assert len(titles(ask(people.colleague, libraries=["Handbook"]))) == 2
    assert len(titles(ask(people.colleague, libraries=[str(people.library.pk), "Other"]))) == 2
    assert titles(ask(people.colleague, libraries=["Other"])) == []


def test_search_should_hide_whether_a_foreign_library_exists(people: People, dogs: Document) -> None:
    foreign = Library.objects.get(name="Hidden")
    answers = [
        ask(people.colleague, libraries=[ref]) for ref in ("Hidden", str(foreign.pk), str(uuid.uuid4()), "?")
    ]
    assert {code_of(answer, 404) for answer in answers} == {"not_found"}
    assert len({answer.content for answer in answers}) == 1


def test_search_should_turn_pages(people: People, dogs: Document) -> None:
    first, second = ask(people.colleague, limit=1), ask(people.colleague, limit=1, offset=1)
    assert titles(first) + titles(second) == titles(ask(people.colleague))
    assert titles(ask(people.colleague, offset=1000)) == []


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"query": ""}, 400, "empty_query"),
        ({"query": " \n\t"}, 400, "empty_query"),
        ({"query": "x" * 100_000}, 413, "query_too_long"),
        ({"query": "a\x00b"}, 400, "control_characters"),
        ({"query": "a\x1bb"}, 400, "control_characters"),
        ({"query": 5}, 400, "invalid"),
        ({"query": None}, 400, "invalid"),
        ({"query": ["dog"]}, 400, "invalid"),
        ({"limit": 0}, 400, "invalid"),
        ({"limit": -1}, 400, "invalid"),
        ({"limit": 10**9}, 400, "invalid"),
        ({"limit": "10"}, 400, "invalid"),
        ({"limit": 1.5}, 400, "invalid"),
        ({"limit": True}, 400, "invalid"),
        ({"offset": 1001}, 400, "invalid"),
        ({"rerank": "yes"}, 400, "invalid"),
        ({"deadline_ms": 49}, 400, "invalid"),
        ({"deadline_ms": 60_001}, 400, "invalid"),
        ({"filters": {"owner": ["me"]}}, 400, "unknown_filter"),
        ({"filters": ["pdf"]}, 400, "invalid"),
        ({"filters": {"type": {"a": 1}}}, 400, "invalid"),
        ({"filters": {"type": [["pdf"]]}}, 400, "invalid"),
        ({"filters": {"tags": ["a\x00"]}}, 400, "control_characters"),
        ({"filters": {"type": ["x"] * 101}}, 400, "invalid"),
        ({"libraries": "a\x00"}, 400, "control_characters"),
        ({"libraries": {"a": 1}}, 400, "invalid"),
        ({"filter": {"type": ["pdf"]}}, 400, "unknown_field"),
    ],
)
def test_search_should_say_what_is_wrong(
    people: People, fields: dict[str, Any], status: int, code: str
) -> None:
    assert code_of(ask(people.colleague, **{"query": "dog", **fields}), status) == code


def test_search_should_refuse_half_a_surrogate_pair(people: People) -> None:
    client = client_of(people.colleague)
    answer = client.generic("POST", URL, b'{"query": "a\\ud800"}', content_type="application/json")
    assert code_of(answer, 400) == "control_characters"


@pytest.mark.parametrize(
    "query", ["'; DROP TABLE library_document; --", "<script>alert(1)</script>", '%_*\\ "', "🐕‍🦺"]
)
def test_search_should_take_any_text_as_text(people: People, dogs: Document, query: str) -> None:
    assert ask(people.colleague, query).status_code == 200


def test_search_should_say_when_to_come_back_if_the_index_is_away(
    people: People, dogs: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise IndexUnavailableError

    monkeypatch.setattr(engine.index(), "search_dense", away)
    answer = ask(people.colleague)
    assert code_of(answer, 503) == "index_unavailable"
    assert int(answer["Retry-After"]) > 0


def test_suggest_should_complete_titles_that_one_may_read(people: People, dogs: Document) -> None:
    Document.objects.filter(name="canary.txt").update(title="Dogs that are secret")
    address = "/api/v1/suggest?q=dogs"
    assert client_of(people.colleague).get(address).json() == {"suggestions": ["Dogs of Ulm"]}
    assert client_of(people.outsider).get(address).json() == {"suggestions": []}
    assert code_of(client_of(people.outsider).get("/api/v1/suggest"), 400) == "empty_query"
    assert code_of(client_of(people.outsider).get("/api/v1/suggest?q=%00"), 400) == "control_characters"


def judge(user: Any, query_id: str, chunk: str, useful: Any = True) -> Any:
    body = {"query_id": query_id, "chunk": chunk, "useful": useful}
    return client_of(user).post("/api/v1/feedback", body, format="json")


def test_feedback_should_be_stored_once_for_a_hit(people: People, dogs: Document) -> None:
    page = ask(people.colleague).json()
    shown = page["query_id"], page["hits"][0]["chunk"]
    assert judge(people.colleague, *shown).status_code == 204
    assert judge(people.colleague, *shown, useful=False).status_code == 204
    row = Feedback.objects.get()
    assert (row.query, str(row.chunk), row.useful, row.user) == (
        "dog barks",
        shown[1],
        False,
        people.colleague,
    )


def test_feedback_should_be_on_what_one_was_shown_oneself(people: People, dogs: Document) -> None:
    page = ask(people.colleague, limit=1).json()
    query_id, chunk = page["query_id"], page["hits"][0]["chunk"]
    foreign = judge(people.owner, query_id, chunk)
    unknown = judge(people.colleague, str(uuid.uuid4()), chunk)
    not_shown = judge(people.colleague, query_id, str(uuid.uuid4()))
    cache.clear()
    expired = judge(people.colleague, query_id, chunk)
    for answer in (foreign, unknown, not_shown, expired):
        assert code_of(answer, 404) == "not_found"
    assert not Feedback.objects.exists()


def test_feedback_should_not_tell_of_what_one_may_no_longer_read(people: People, dogs: Document) -> None:
    page = ask(people.colleague).json()
    query_id, chunk = page["query_id"], page["hits"][0]["chunk"]
    Access.objects.filter(user=people.colleague).delete()
    revoked = judge(people.colleague, query_id, chunk)
    unknown = judge(people.colleague, query_id, str(uuid.uuid4()))
    assert code_of(revoked, 404) == "not_found"
    assert revoked.content == unknown.content
    assert not Feedback.objects.exists()


@pytest.mark.parametrize("body", [{}, {"query_id": "x", "chunk": "y", "useful": True}, []])
def test_feedback_should_say_what_is_wrong(people: People, body: Any) -> None:
    client = client_of(people.colleague)
    assert code_of(client.post("/api/v1/feedback", body, format="json"), 400) == "invalid"
