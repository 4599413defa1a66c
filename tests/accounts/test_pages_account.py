from __future__ import annotations

import re

import pytest
from django.test import Client
from knox.models import AuthToken

from tests.factories import People
from tests.pages import client_of, text_of


def test_signing_in_should_lead_to_the_page_that_was_asked_for(people: People) -> None:
    client = Client()
    form = client.get("/login/?next=/libraries/")
    assert b'value="/libraries/"' in form.content
    data = {"username": "owner", "password": "owner-pass-123", "next": "/libraries/"}
    assert client.post("/login/", data)["Location"] == "/libraries/"


def test_signing_in_should_not_lead_to_other_sites(people: People) -> None:
    data = {"username": "owner", "password": "owner-pass-123", "next": "https://evil.example/"}
    assert Client().post("/login/", data)["Location"] == "/"


def test_a_wrong_password_should_be_said(people: People) -> None:
    response = Client().post("/login/", {"username": "owner", "password": "wrong"})
    assert "do not match" in text_of(response)


def test_signing_out_should_need_a_post_and_end_the_session(people: People) -> None:
    client = client_of(people.owner)
    assert client.get("/logout/").status_code == 405
    client.post("/logout/")
    assert client.get("/").status_code == 302


def test_a_new_token_should_be_shown_once_and_work(people: People) -> None:
    client = client_of(people.owner)
    response = client.post("/account/tokens/")
    token = re.search(r'class="token">(\w+)<', response.content.decode()).group(1)  # type: ignore[union-attr]
    answer = Client().get("/api/v1/libraries", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert token.encode() not in client.get("/account/").content


def test_a_token_should_be_revoked_by_its_owner_only(people: People) -> None:
    token, _ = AuthToken.objects.create(user=people.owner)
    client_of(people.outsider).post("/account/tokens/revoke/", {"key": token.token_key})
    assert AuthToken.objects.count() == 1
    assert token.token_key not in text_of(client_of(people.outsider).get("/account/"))
    client_of(people.owner).post("/account/tokens/revoke/", {"key": token.token_key})
    assert AuthToken.objects.count() == 0


def test_a_changed_password_should_count(people: People) -> None:
    new = "another long password"
    data = {"old_password": "owner-pass-123", "new_password1": new, "new_password2": new}
    response = client_of(people.owner).post("/account/password/", data, follow=True)
    assert "Your password is changed" in text_of(response)
    assert Client().login(username="owner", password=new)


@pytest.mark.parametrize("address", ["/account/", "/account/password/", "/libraries/"])
def test_pages_should_ask_strangers_to_sign_in(db: None, address: str) -> None:
    assert Client().get(address)["Location"].startswith("/login/")


def test_an_unknown_address_should_help(people: People) -> None:
    response = client_of(people.owner).get("/nowhere/")
    assert response.status_code == 404
    assert "Not here" in text_of(response)
