from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from learning import runs
from learning.models import LearningRun
from library.models import Document, Library
from tests.factories import People, ready_document
from tests.pages import client_of, text_of

HTMX = {"HX-Request": "true"}
REPORT = {"before": {"512": {"ndcg_at_10": 0.3}}, "after": {"512": {"ndcg_at_10": 0.4}}, "better": True}


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The runs that were rung for: no worker takes them up here."""
    bells: list[Any] = []
    monkeypatch.setattr("learning.tasks.ring", bells.append)
    return bells


def passages(library: Library, count: int) -> None:
    """One document that counts as so many passages."""
    stored = library.documents.first() or ready_document(library)
    Document.objects.filter(pk=stored.pk).update(chunk_count=count)


def ended(library: Library, chunks: int, **details: Any) -> LearningRun:
    fields = {"state": "done", "report": REPORT, "finished_at": timezone.now()} | details
    return LearningRun.objects.create(library=library, chunks=chunks, **fields)


def page(people: People) -> str:
    return text_of(client_of(people.owner).get(f"/libraries/{people.library.pk}/"))


def press(people: People, **headers: str) -> Any:
    return client_of(people.owner).post(f"/libraries/{people.library.pk}/learn/", headers=headers)


def test_the_button_should_queue_one_run_and_show_its_progress(
    people: People, rung: list[Any], django_capture_on_commit_callbacks: Any
) -> None:
    passages(people.library, 200)
    with django_capture_on_commit_callbacks(execute=True):
        first, again = press(people, **HTMX), press(people, **HTMX)
    run = people.library.learning_runs.get()
    assert (rung, run.requested_by, run.chunks) == ([run.pk], people.owner, 200)
    assert "Waiting for its turn." in text_of(first) and "Waiting for its turn." in text_of(again)
    LearningRun.objects.update(state="running", progress=0.42)
    shown = client_of(people.owner).get(f"/libraries/{people.library.pk}/learning/", headers=HTMX)
    assert 'value="42"' in shown.content.decode()
    assert "Learn from this library" not in text_of(shown)


def test_only_the_bar_should_be_renewed_until_the_run_is_in_another_state(people: People) -> None:
    passages(people.library, 200)
    run = LearningRun.objects.create(library=people.library, state="running", progress=0.42)

    def renewed(state: str) -> Any:
        address = f"/libraries/{people.library.pk}/learning/?state={state}"
        return client_of(people.owner).get(address, headers=HTMX)

    bar = renewed("running")
    assert "42%" in text_of(bar) and "HX-Retarget" not in bar.headers
    assert "Search works as before" not in text_of(bar)
    begun = renewed("queued")
    assert begun["HX-Retarget"] == "#learning" and "Search works as before" in text_of(begun)
    LearningRun.objects.filter(pk=run.pk).update(state="done", report=REPORT, finished_at=timezone.now())
    done = renewed("running")
    assert done["HX-Retarget"] == "#learning" and "0.300 → 0.400" in text_of(done)


def test_admins_should_have_several_libraries_learned_at_once(people: People, admin_client: Client) -> None:
    passages(people.library, 200)
    small = Library.objects.create(name="Small")
    fields = {"action": "learn", "_selected_action": [str(people.library.pk), str(small.pk)]}
    said = text_of(admin_client.post("/admin/library/library/", fields, follow=True))
    assert "Small: Learning needs at least 200 passages" in said
    assert people.library.learning_runs.get().state == "queued"
    shown = text_of(admin_client.get("/admin/learning/learningrun/"))
    assert people.library.name in shown


def test_the_button_should_work_without_scripts(people: People) -> None:
    passages(people.library, 200)
    assert press(people)["Location"] == f"/libraries/{people.library.pk}/#learning"


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_library_too_small_should_be_refused_with_what_it_needs(
    people: People, headers: dict[str, str]
) -> None:
    passages(people.library, 199)
    assert "once they make 200 passages. Here are 199." in page(people)
    refused = press(people, **headers)
    assert refused.status_code == 422
    assert "Learning needs at least 200 passages, and this library has 199." in text_of(refused)
    assert not LearningRun.objects.exists()


def test_a_library_should_wait_while_another_is_learned(people: People) -> None:
    other = Library.objects.create(name="Other")
    LearningRun.objects.create(library=other, state="running")
    passages(people.library, 200)
    assert "Waiting for its turn." in text_of(press(people, **HTMX))
    assert "Other" not in page(people)


@pytest.mark.parametrize(("method", "address"), [("post", "learn"), ("get", "learning")])
def test_only_managers_should_learn_and_outsiders_should_see_no_library(
    people: People, method: str, address: str
) -> None:
    passages(people.library, 200)
    path = f"/libraries/{people.library.pk}/{address}/"
    assert getattr(client_of(people.colleague), method)(path).status_code == 403
    refused = getattr(client_of(people.outsider), method)(path)
    absent = getattr(client_of(people.outsider), method)(f"/libraries/{uuid.uuid4()}/{address}/")
    assert refused.status_code == absent.status_code == 404
    assert text_of(refused) == text_of(absent)
    assert not LearningRun.objects.exists()


@pytest.mark.parametrize(
    ("then", "now", "offered"), [(None, 199, False), (None, 200, True), (200, 299, False), (200, 300, True)]
)
def test_learning_should_be_offered_at_first_and_when_the_library_has_grown_by_half(
    people: People, then: int | None, now: int, offered: bool
) -> None:
    passages(people.library, now)
    if then:
        ended(people.library, then)
    assert ("Learn from it" in page(people)) == offered
    if then and offered:
        assert "The library has grown from 200 to 300 passages since Quarry learned it." in page(people)


def test_a_run_under_way_should_not_be_offered_again(people: People) -> None:
    passages(people.library, 300)
    LearningRun.objects.create(library=people.library, state="running")
    assert "Learn from it" not in page(people)


def test_the_page_should_say_how_the_last_run_ended(people: People) -> None:
    passages(people.library, 300)
    ended(people.library, 300)
    assert "0.300 → 0.400" in page(people)
    ended(people.library, 300, report={"better": False, "reason": "12 pairs: too few."})
    assert "without a result: 12 pairs: too few." in page(people)
    ended(people.library, 300, state="failed", report={}, error_message=runs.STOPPED)
    assert "Learning was stopped before its end. Start it again." in page(people)


def test_viewers_should_see_nothing_of_learning(people: People) -> None:
    passages(people.library, 300)
    shown = text_of(client_of(people.colleague).get(f"/libraries/{people.library.pk}/"))
    assert "learn" not in shown.lower()
