"""Requests that nobody sends by mistake. Each is refused or understood; none is our fault (500)."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from config.wsgi import application
from tests.factories import People, ready_document
from tests.pages import client_of as browser_of
from tests.support.rest import client_of, code_of

HUGE = "9" * 5000  # more digits than Python makes an int of


@pytest.fixture(autouse=True)
def without_reranker(settings: Any) -> None:
    settings.RERANK_BACKEND = "off"


@pytest.mark.parametrize("number", [HUGE, "-1", "0", "²", "1e9"])
def test_page_numbers_should_be_understood_or_ignored(people: People, number: str) -> None:
    stored = ready_document(people.library)
    browser = browser_of(people.colleague)
    for address in (
        f"/?q=leave&page={number}",
        f"/documents/{stored.pk}/?part={number}",
        f"/libraries/{people.library.pk}/?page={number}",
    ):
        assert browser.get(address).status_code == 200, address


@pytest.mark.parametrize("limit", ["-1", "0", "201", "1000000000", HUGE, "x"])
@pytest.mark.parametrize("listing", ["documents", "libraries"])
def test_a_limit_out_of_range_should_be_refused(people: People, listing: str, limit: str) -> None:
    assert code_of(client_of(people.owner).get(f"/api/v1/{listing}?limit={limit}"), 400) == "invalid"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"query":"a","\\ud800":1}', "unknown_field"),
        ('{"query":"a","filters":{"\\ud800":1}}', "unknown_filter"),
    ],
)
def test_a_field_name_that_is_no_text_should_be_refused(people: People, body: str, code: str) -> None:
    answer = client_of(people.owner).post("/api/v1/search", body, content_type="application/json")
    assert code_of(answer, 400) == code


@pytest.mark.parametrize(
    "content_type", ["text/plain; a*=nonsense''%41", "multipart/form-data; boundary*=x''%41"]
)
def test_a_content_type_that_django_does_not_survive_should_be_answered(db: None, content_type: str) -> None:
    answers: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/healthz",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
        "CONTENT_TYPE": content_type,
    }
    answer: Any = application(environ, lambda status, headers: answers.append(status))
    answer.close()
    assert answers == ["405 Method Not Allowed"]


@pytest.mark.parametrize(
    "address",
    [
        "/?q=leave%00",
        "/?type=%00",
        "/admin/ingestion/document/?status__exact=%00",
        "/admin/auth/user/?q=%00",
        "/documents/%00/",
        "/static/%00",
        "/login/?next=%00",
    ],
)
def test_a_nul_in_an_address_should_be_refused(people: People, address: str) -> None:
    people.owner.is_staff = people.owner.is_superuser = True
    people.owner.save()
    assert browser_of(people.owner).get(address).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        "library=%00",
        "status=%00",
        "limit=%00",
        "cursor=%00",
        "%00=1",
    ],
)
def test_a_nul_should_be_named_to_programs(people: People, query: str) -> None:
    answer = client_of(people.owner).get(f"/api/v1/documents?{query}")
    assert code_of(answer, 400) == "control_characters"


def test_a_nul_inside_a_cursor_should_be_refused(people: People) -> None:
    cursor = b64encode(b"p=a%00b").decode()
    answer = client_of(people.owner).get("/api/v1/libraries", {"cursor": cursor})
    assert code_of(answer, 400) == "invalid"


@pytest.mark.parametrize("value", ["a\0b", '"a\\000b"'])
def test_a_nul_in_a_session_cookie_should_be_refused(db: None, client: Any, value: str) -> None:
    answer = client.get("/", headers={"Cookie": f"sessionid={value}"})
    assert answer.status_code == 400


def test_a_nul_in_a_form_should_be_refused(people: People) -> None:
    browser = browser_of(people.owner)
    assert browser.post("/account/tokens/revoke/", {"key": "a\0b"}).status_code == 400
    assert browser.post("/login/", {"username": "a\0b", "password": "x"}).status_code == 400


def test_a_nul_in_json_should_be_named(people: People) -> None:
    client = client_of(people.owner)
    for address, body in (
        ("search", {"query": "leave\0"}),
        ("search", {"query": "leave", "libraries": ["\0"]}),
        ("search", {"query": "leave", "filters": {"tags": ["\0"]}}),
    ):
        answer = client.post(f"/api/v1/{address}", body, format="json")
        assert code_of(answer, 400) == "control_characters", body


@pytest.mark.parametrize("number", ["1e400", "-1e400", "Infinity", "NaN"])
def test_a_number_that_no_database_stores_should_be_refused(people: People, number: str) -> None:
    client = client_of(people.owner)
    body = f'{{"query": "leave", "limit": {number}}}'
    assert code_of(client.post("/api/v1/search", body, content_type="application/json"), 400) == "bad_json"
    file = SimpleUploadedFile("leave.txt", b"Leave.")
    form = {"file": file, "library": "Handbook", "metadata": f'{{"a": [{number}]}}'}
    assert code_of(client.post("/api/v1/documents", form, format="multipart"), 400) == "invalid"
    line = f'{{"id": 1, "text": "Leave.", "metadata": {{"a": {number}}}}}'
    bulk = client.post("/api/v1/documents/bulk?library=Handbook", line, content_type="application/x-ndjson")
    assert b'"bad_json"' in b"".join(bulk.streaming_content)
