from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from ingestion import documents
from library.models import Access, Document, Library, Role, Status
from searchapp.search import search
from tests import factories
from tests.factories import People, document, ready_document
from tests.pages import client_of, link, text_of

HTMX = {"HX-Request": "true"}


def failed(library: Library) -> Document:
    stored = document(library, name="scan.txt")
    Document.objects.filter(pk=stored.pk).update(
        status=Status.FAILED, error_code="no_text", error_message="No text was found."
    )
    return stored


def test_libraries_should_list_what_the_person_may_read_and_no_more(people: People) -> None:
    failed(people.library)
    document(people.library, "waiting", "waiting.txt")
    assert "Handbook 0 ready 1 on the way 1 failed" in text_of(client_of(people.colleague).get("/libraries/"))
    assert "Handbook" not in text_of(client_of(people.outsider).get("/libraries/"))


def test_a_library_should_be_created_by_those_with_the_permission(people: People) -> None:
    people.colleague.user_permissions.add(Permission.objects.get(codename="add_library"))
    client = client_of(people.colleague)
    response = client.post("/libraries/", {"name": "Minutes", "description": "Of all meetings"})
    library = Library.objects.get(name="Minutes")
    assert response["Location"] == f"/libraries/{library.pk}/"
    assert library.access.get().role == Role.MANAGER
    again = client.post("/libraries/", {"name": "Minutes"})
    assert again.status_code == 422 and "There is a library of this name" in text_of(again)


def test_libraries_of_one_name_should_be_told_apart_by_their_managers(people: People) -> None:
    other = Library.objects.create(name="Handbook")
    Access.objects.create(library=other, user=people.outsider, role=Role.MANAGER)
    assert "Handbook (" not in text_of(client_of(people.colleague).get("/libraries/"))
    Access.objects.create(library=other, user=people.colleague)
    shown = text_of(client_of(people.colleague).get("/libraries/"))
    assert "Handbook (owner)" in shown and "Handbook (outsider)" in shown
    for library, text in ((people.library, "Leave is 25 days."), (other, "Leave is 30 days.")):
        ready_document(library, text)
    labels = [facet.label for facet in search(people.colleague, "leave", rerank=False).facets["library"]]
    assert sorted(labels) == ["Handbook (outsider)", "Handbook (owner)"]


def test_a_library_should_not_be_created_without_the_permission(people: People) -> None:
    client = client_of(people.owner)
    assert "New library" not in text_of(client.get("/libraries/"))
    client.post("/libraries/", {"name": "Minutes"})
    assert not Library.objects.filter(name="Minutes").exists()


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("get", "/libraries/{library}/"),
        ("get", "/libraries/{library}/progress/"),
        ("post", "/libraries/{library}/upload/"),
        ("post", "/libraries/{library}/members/"),
        ("post", "/libraries/{library}/members/remove/"),
        ("get", "/documents/{document}/"),
        ("get", "/documents/{document}/file/"),
        ("post", "/documents/{document}/retry/"),
        ("post", "/documents/{document}/delete/"),
    ],
)
def test_nothing_of_a_library_should_exist_for_outsiders(people: People, method: str, address: str) -> None:
    stored = document(people.library)
    client = client_of(people.outsider)
    refused = getattr(client, method)(address.format(library=people.library.pk, document=stored.pk))
    absent = getattr(client, method)(address.format(library=uuid.uuid4(), document=uuid.uuid4()))
    assert refused.status_code == absent.status_code == 404
    assert text_of(refused) == text_of(absent)
    assert Document.objects.filter(pk=stored.pk).exists()


@pytest.mark.parametrize(
    "address",
    [
        "/libraries/{library}/upload/",
        "/libraries/{library}/members/",
        "/libraries/{library}/members/remove/",
        "/documents/{document}/retry/",
        "/documents/{document}/delete/",
    ],
)
def test_viewers_should_be_told_what_they_may_not_do(people: People, address: str) -> None:
    stored = document(people.library)
    response = client_of(people.colleague).post(address.format(library=people.library.pk, document=stored.pk))
    assert response.status_code == 403
    assert "You need to be" in text_of(response)


def test_viewers_should_be_offered_only_what_they_may_do(people: People) -> None:
    failed(people.library)
    shown = text_of(client_of(people.colleague).get(f"/libraries/{people.library.pk}/"))
    assert "scan.txt" in shown and "No text was found." in shown
    assert not any(word in shown for word in ("Add files", "Retry", "Delete", "People"))


def test_editors_should_manage_documents_but_not_people(people: People) -> None:
    Access.objects.filter(user=people.colleague).update(role=Role.EDITOR)
    failed(people.library)
    shown = text_of(client_of(people.colleague).get(f"/libraries/{people.library.pk}/"))
    assert all(word in shown for word in ("Add files", "Retry", "Delete"))
    assert "People" not in shown


def test_documents_should_be_listed_by_status_and_name(people: People) -> None:
    failed(people.library)
    document(people.library, "waiting", "waiting.txt")
    client = client_of(people.owner)
    response = client.get(f"/libraries/{people.library.pk}/")
    assert "all 2 pending 1 ready 0 failed 1" in text_of(response)
    narrowed = text_of(client.get(f"/libraries/{people.library.pk}/{link(response, 'failed 1')}"))
    assert "scan.txt" in narrowed and "waiting.txt" not in narrowed
    found = text_of(client.get(f"/libraries/{people.library.pk}/?name=WAIT"))
    assert "waiting.txt" in found and "scan.txt" not in found


def test_a_status_that_is_none_should_not_narrow(people: People) -> None:
    failed(people.library)
    assert "scan.txt" in text_of(
        client_of(people.owner).get(f"/libraries/{people.library.pk}/?status=x&page=z")
    )


def test_many_documents_should_come_in_pages(people: People) -> None:
    Document.objects.bulk_create(
        Document(
            library=people.library,
            name=f"file-{n:03}.txt",
            sha256=f"{n:064}",
            size=10,
            content_type="text/plain",
            type="txt",
            status=Status.READY,
        )
        for n in range(60)
    )
    client = client_of(people.colleague)
    address = f"/libraries/{people.library.pk}/"
    pages = [client.get(address, {"page": n}).content.count(b'<tr id="document-') for n in (1, 2, 3)]
    assert pages == [25, 25, 10]


def test_a_page_should_poll_only_while_a_document_waits(people: People) -> None:
    waiting = document(people.library)
    client = client_of(people.owner)
    address = f"/libraries/{people.library.pk}/"
    page = client.get(address).content.decode()
    assert f"id={waiting.pk}" in page and 'hx-trigger="every 1500ms"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    poll = client.get(f"{address}progress/?id={waiting.pk}", headers=HTMX).content.decode()
    assert 'hx-trigger="every 1500ms"' in poll and "waiting" in poll
    Document.objects.update(status=Status.READY)
    poll = client.get(f"{address}progress/?id={waiting.pk}", headers=HTMX).content.decode()
    assert "every 1500ms" not in poll
    assert f'<tr id="document-{waiting.pk}" hx-swap-oob="true">' in poll
    assert "every 1500ms" not in client.get(address).content.decode()


def test_a_page_of_ready_documents_should_poll_while_another_page_waits(people: People) -> None:
    waiting = document(people.library)
    for number in range(25):
        document(people.library, f"text {number}", f"{number}.txt")
    Document.objects.exclude(pk=waiting.pk).update(status=Status.READY)
    client = client_of(people.owner)
    address = f"/libraries/{people.library.pk}/"
    page = client.get(address).content.decode()
    assert f"document-{waiting.pk}" not in page and 'hx-trigger="every 1500ms"' in page
    assert "every 1500ms" in client.get(f"{address}progress/", headers=HTMX).content.decode()
    Document.objects.update(status=Status.READY)
    assert "every 1500ms" not in client.get(f"{address}progress/", headers=HTMX).content.decode()


def test_progress_should_not_tell_of_documents_elsewhere(people: People) -> None:
    other = factories.ready_document(Library.objects.create(name="Secret"), "plans", "plans.txt")
    response = client_of(people.owner).get(
        f"/libraries/{people.library.pk}/progress/?id={other.pk}&id=nonsense", headers=HTMX
    )
    assert response.status_code == 200 and "plans" not in text_of(response)


def test_retry_should_queue_a_failed_document(people: People) -> None:
    stored = failed(people.library)
    response = client_of(people.owner).post(f"/documents/{stored.pk}/retry/", follow=True)
    assert "“scan.txt” is queued again." in text_of(response)
    stored.refresh_from_db()
    assert stored.status == Status.QUEUED


def test_delete_should_remove_a_document_from_the_search(people: People) -> None:
    stored = ready_document(people.library)
    client = client_of(people.owner)
    assert client.get(f"/documents/{stored.pk}/delete/").status_code == 405
    response = client.post(f"/documents/{stored.pk}/delete/", follow=True)
    assert "“leave.txt” is deleted." in text_of(response)
    assert not search(people.owner, "leave", rerank=False).hits


def test_delete_by_htmx_should_answer_with_the_list_alone(people: People) -> None:
    stored = document(people.library)
    response = client_of(people.owner).post(f"/documents/{stored.pk}/delete/", headers=HTMX)
    assert b"<html" not in response.content
    assert b'<div id="messages" role="status" hx-swap-oob="true">' in response.content


def test_changes_should_need_the_form_token(people: People) -> None:
    from django.test import Client

    stored = document(people.library)
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.owner)
    assert client.post(f"/documents/{stored.pk}/delete/").status_code == 403
    assert Document.objects.filter(pk=stored.pk).exists()


def members(library: Library) -> dict[str, int]:
    return {str(a.user or a.group): a.role for a in library.access.all()}


def test_managers_should_add_change_and_remove_people(people: People) -> None:
    Group.objects.create(name="office")
    client, address = client_of(people.owner), f"/libraries/{people.library.pk}/members/"
    client.post(address, {"name": "outsider", "role": Role.EDITOR})
    client.post(address, {"name": "office", "role": Role.VIEWER})
    client.post(address, {"name": "colleague", "role": Role.MANAGER})
    assert members(people.library) == {"owner": 3, "outsider": 2, "office": 1, "colleague": 3}
    client.post(f"{address}remove/", {"user": "outsider", "group": ""})
    assert "outsider" not in members(people.library)
    assert client_of(people.outsider).get(f"/libraries/{people.library.pk}/").status_code == 404


@pytest.mark.parametrize(
    ("name", "sentence"), [("nobody", "There is no user or group “nobody”"), ("", "This field is required")]
)
def test_an_unknown_person_should_be_refused_in_place(people: People, name: str, sentence: str) -> None:
    response = client_of(people.owner).post(
        f"/libraries/{people.library.pk}/members/", {"name": name, "role": Role.VIEWER}
    )
    assert response.status_code == 422 and sentence in text_of(response)


def test_the_last_manager_should_stay(people: People) -> None:
    response = client_of(people.owner).post(
        f"/libraries/{people.library.pk}/members/remove/", {"user": "owner", "group": ""}
    )
    assert "You would lock yourself out" in text_of(response)
    assert members(people.library)["owner"] == Role.MANAGER


def test_a_new_version_should_leave_the_old_one_readable_until_it_is_ready(people: People) -> None:
    stored: Any = ready_document(people.library, "Leave is 25 days.", "leave.txt")
    documents.create(people.library, "leave.txt", factories.ContentFile(b"Leave is 30 days."))
    shown = text_of(client_of(people.colleague).get(f"/documents/{stored.pk}/"))
    assert "Leave is 25 days." in shown and "shown here: version 1" in shown
