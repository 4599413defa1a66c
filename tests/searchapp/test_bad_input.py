"""Requests that nobody sends by mistake. Each is refused or understood; none is our fault (500)."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from config.wsgi import application
from tests.factories import People, ready_document
from tests.pages import client_of as browser_of
from tests.support.rest import client_of, code_of

HUGE = "9" * 5000  # more digits than Python makes an int of


@pytest.fixture(autouse=True)
def without_reranker(settings: Any) -> None:
    settings.RERANK_BACKEND = "off"


@pytest.mark.parametrize("number", [HUGE, "-1", "0", "²", "%00", "1e9"])
def test_page_numbers_should_be_understood_or_ignored(people: People, number: str) -> None:
    stored = ready_document(people.library)
    browser = browser_of(people.colleague)
    for address in (
        f"/?q=leave&page={number}",
        f"/documents/{stored.pk}/?part={number}",
        f"/libraries/{people.library.pk}/?page={number}",
    ):
        assert browser.get(address).status_code == 200, address


@pytest.mark.parametrize("limit", ["-1", "0", "201", "1000000000", HUGE, "x", "%00"])
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


def test_a_library_named_by_a_nul_should_not_be_found(people: People) -> None:
    assert code_of(client_of(people.owner).get("/api/v1/documents?library=%00"), 404) == "not_found"
