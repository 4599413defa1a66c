from __future__ import annotations

import re
from io import StringIO
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from tests.factories import People
from tests.support.rest import code_of

ENDPOINTS = {
    "/search": {"post"},
    "/suggest": {"get"},
    "/documents": {"get", "post"},
    "/documents/bulk": {"post"},
    "/documents/{document_id}": {"get", "delete"},
    "/documents/{document_id}/text": {"get"},
    "/documents/{document_id}/file": {"get"},
    "/libraries": {"get", "post"},
    "/libraries/{library_id}": {"get", "patch", "delete"},
    "/libraries/{library_id}/access": {"get", "put"},
    "/feedback": {"post"},
}


def test_schema_should_be_valid_and_complete() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=StringIO())


@pytest.fixture
def schema(db: None) -> dict[str, Any]:
    answer = APIClient().get("/api/v1/schema")
    assert answer["Content-Type"].startswith("application/json")
    body: dict[str, Any] = answer.json()
    return body


def test_schema_should_name_every_endpoint(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1")
    paths = {path.removeprefix("/api/v1"): set(methods) for path, methods in schema["paths"].items()}
    assert paths == ENDPOINTS


def test_schema_should_describe_problems_and_tokens(schema: dict[str, Any]) -> None:
    for methods in schema["paths"].values():
        for operation in methods.values():
            assert {"bearer": []} in operation["security"]
            assert "application/problem+json" in operation["responses"]["401"]["content"]
            assert operation["summary"]


def test_docs_should_need_nothing_from_elsewhere(db: None) -> None:
    answer = APIClient().get("/api/v1/docs")
    page = answer.content.decode()
    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sources and all(source.startswith("/") for source in sources)
    for source in sources:
        if source.startswith("/static/"):
            assert finders.find(source.removeprefix("/static/")), source
    assert not re.search(r"<style|<script>|style=|onclick", page)  # the policy would stop them
    assert "unsafe" not in answer["Content-Security-Policy"]


def test_token_command_should_print_a_token_that_works(people: People) -> None:
    out = StringIO()
    call_command("token", "colleague", stdout=out)
    client = APIClient(headers={"Authorization": f"Bearer {out.getvalue().strip()}"})
    assert client.get("/api/v1/libraries").json()["results"][0]["name"] == "Handbook"


def test_token_command_should_refuse_unknown_and_suspended_people(people: People) -> None:
    people.owner.is_active = False
    people.owner.save()
    for name in ("nobody", "owner"):
        with pytest.raises(CommandError, match=name):
            call_command("token", name)


def test_an_address_under_api_should_not_be_redirected(db: None) -> None:
    assert code_of(APIClient().get("/api/v1/search/"), 404) == "not_found"
