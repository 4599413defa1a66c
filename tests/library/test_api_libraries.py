from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.files.storage import default_storage

from library.models import Access, Document, Library, Role
from tests.factories import People, document, user
from tests.support.rest import client_of, code_of

URL = "/api/v1/libraries"


@pytest.fixture
def address(people: People) -> str:
    return f"{URL}/{people.library.pk}"


def manager(**who: str) -> dict[str, Any]:
    return {**who, "role": "manager"}


def test_list_should_hold_ones_own_role_and_nothing_hidden(people: People) -> None:
    Library.objects.create(name="Hidden")
    document(people.library)
    (seen,) = client_of(people.colleague).get(URL).json()["results"]
    assert (seen["name"], seen["role"], seen["document_count"]) == ("Handbook", "viewer", 1)
    assert client_of(people.outsider).get(URL).json() == {"results": [], "next": None}


def test_role_should_be_the_highest_of_person_and_groups(people: People, address: str) -> None:
    group = Group.objects.create(name="editors")
    people.colleague.groups.add(group)
    Access.objects.create(library=people.library, group=group, role=Role.EDITOR)
    assert client_of(people.colleague).get(address).json()["role"] == "editor"


def test_create_should_need_the_permission_and_make_a_manager(people: People) -> None:
    client, wanted = client_of(people.outsider), {"name": "Sales", "description": "Offers"}
    assert code_of(client.post(URL, wanted, format="json"), 403) == "forbidden"
    people.outsider.user_permissions.add(Permission.objects.get(codename="add_library"))
    answer = client.post(URL, wanted, format="json")
    assert answer.status_code == 201
    assert client.get(answer["Location"]).json() == answer.json()
    assert (answer.json()["role"], answer.json()["description"]) == ("manager", "Offers")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "invalid"),
        ({"name": ""}, 400, "invalid"),
        ({"name": 5}, 400, "invalid"),
        ({"name": "x" * 201}, 400, "invalid"),
        ({"name": "a\x00b"}, 400, "control_characters"),
        ({"name": "a", "owner": "me"}, 400, "unknown_field"),
        (["name"], 400, "invalid"),
        ({"name": "Handbook"}, 409, "name_taken"),
    ],
)
def test_create_should_say_what_is_wrong(people: People, body: Any, status: int, code: str) -> None:
    people.owner.is_superuser = True
    people.owner.save()
    assert code_of(client_of(people.owner).post(URL, body, format="json"), status) == code


def test_change_should_be_for_managers(people: People, address: str) -> None:
    wanted = {"name": "Rules"}
    assert code_of(client_of(people.outsider).patch(address, wanted, format="json"), 404) == "not_found"
    assert code_of(client_of(people.colleague).patch(address, wanted, format="json"), 403) == "forbidden"
    taken = Library.objects.create(name="Taken")
    Access.objects.create(library=taken, user=people.owner)
    owner = client_of(people.owner)
    assert code_of(owner.patch(address, {"name": "Taken"}, format="json"), 409) == "name_taken"
    assert owner.patch(address, wanted, format="json").json()["name"] == "Rules"


def test_a_name_should_not_tell_of_a_library_that_one_may_not_see(people: People, address: str) -> None:
    hidden = Library.objects.create(name="Layoffs")
    Access.objects.create(library=hidden, user=people.outsider, role=Role.MANAGER)
    owner = client_of(people.owner)
    assert owner.patch(address, {"name": "Layoffs"}, format="json").status_code == 200
    people.owner.user_permissions.add(Permission.objects.get(codename="add_library"))
    hidden.name = "Sales"
    hidden.save()
    assert owner.post(URL, {"name": "Sales"}, format="json").status_code == 201


def test_two_libraries_of_one_name_should_be_named_by_id(people: People) -> None:
    other = Library.objects.create(name="Handbook")
    Access.objects.create(library=other, user=people.outsider, role=Role.MANAGER)
    client = client_of(people.colleague)
    assert client.get("/api/v1/documents?library=Handbook").status_code == 200
    Access.objects.create(library=other, user=people.colleague)
    answer = client.get("/api/v1/documents?library=Handbook")
    assert code_of(answer, 409) == "ambiguous_library"
    assert str(other.pk) in answer.json()["detail"]
    assert client.get(f"/api/v1/documents?library={other.pk}").status_code == 200
    Access.objects.create(library=other, user=people.owner)
    answer = client_of(people.owner).patch(
        f"{URL}/{people.library.pk}", {"description": "Ours"}, format="json"
    )
    assert answer.status_code == 200


def test_delete_should_remove_documents_and_files(people: People, address: str) -> None:
    stored = document(people.library)
    assert code_of(client_of(people.outsider).delete(address), 404) == "not_found"
    assert code_of(client_of(people.colleague).delete(address), 403) == "forbidden"
    assert default_storage.exists(stored.file.name)
    owner = client_of(people.owner)
    assert owner.delete(address).status_code == 204
    assert not Document.objects.exists()
    assert not default_storage.exists(stored.file.name)
    assert code_of(owner.get(address), 404) == "not_found"


def test_access_should_be_replaced_as_a_whole(people: People, address: str) -> None:
    Group.objects.create(name="staff")
    wanted = [
        {"user": "owner", "group": None, "role": "manager"},
        {"user": None, "group": "staff", "role": "editor"},
    ]
    client = client_of(people.owner)
    answer = client.put(f"{address}/access", {"access": wanted}, format="json")
    assert answer.status_code == 200
    assert answer.json() == client.get(f"{address}/access").json() == {"access": wanted}
    assert code_of(client_of(people.colleague).get(address), 404) == "not_found"


def test_access_should_be_for_managers(people: People, address: str) -> None:
    body = {"access": [manager(user="colleague")]}
    for person, status in ((people.colleague, 403), (people.outsider, 404)):
        client = client_of(person)
        assert client.put(f"{address}/access", body, format="json").status_code == status
        assert client.get(f"{address}/access").status_code == status


@pytest.mark.parametrize(
    ("access", "status", "code"),
    [
        ([], 409, "no_manager"),
        ([{"user": "owner", "role": "viewer"}, manager(user="colleague")], 409, "no_manager"),
        ([manager(group="staff")], 409, "no_manager"),
        ([manager(user="owner"), manager(user="owner")], 400, "repeated_person"),
        ([manager(user="nobody")], 400, "unknown_person"),
        ([manager(user="owner", group="staff")], 400, "invalid"),
        ([{"role": "manager"}], 400, "invalid"),
        ([{"user": "owner", "role": "king"}], 400, "invalid"),
        ([{"user": "owner", "role": 3}], 400, "invalid"),
        ("owner", 400, "invalid"),
        (None, 400, "invalid"),
    ],
)
def test_access_should_stay_as_it_is_when_the_list_is_wrong(
    people: People, address: str, access: Any, status: int, code: str
) -> None:
    Group.objects.create(name="staff")
    client = client_of(people.owner)
    before = client.get(f"{address}/access").json()
    assert code_of(client.put(f"{address}/access", {"access": access}, format="json"), status) == code
    assert client.get(f"{address}/access").json() == before


def test_access_may_be_handed_over_to_ones_group(people: People, address: str) -> None:
    people.owner.groups.add(Group.objects.create(name="staff"))
    body = {"access": [manager(group="staff")]}
    assert client_of(people.owner).put(f"{address}/access", body, format="json").status_code == 200


def test_access_should_not_be_left_without_a_manager_by_a_superuser(people: People, address: str) -> None:
    boss = user("boss")
    boss.is_superuser = True
    boss.save()
    body = {"access": [{"user": "owner", "role": "viewer"}]}
    assert code_of(client_of(boss).put(f"{address}/access", body, format="json"), 409) == "no_manager"
