from __future__ import annotations

import errno
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from knox.models import AuthToken
from rest_framework.settings import api_settings
from rest_framework.test import APIClient

from accounts.throttling import UserThrottle
from ingestion import documents
from tests.factories import People
from tests.support.rest import client_of, code_of

URL = "/api/v1/libraries"


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer a b", "Bearer \xff\xfe", "Bearer \x00", "Bearer x", "Basic x"]
)
def test_api_should_need_a_token(people: People, header: str) -> None:
    answer = APIClient(headers={"Authorization": header} if header else {}).get(URL)
    assert code_of(answer, 401) in ("not_authenticated", "authentication_failed")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_api_should_refuse_expired_and_revoked_tokens(people: People) -> None:
    client = client_of(people.owner)
    assert client.get(URL).status_code == 200
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert code_of(client.get(URL), 401) == "authentication_failed"
    client = client_of(people.owner)
    AuthToken.objects.all().delete()
    assert code_of(client.get(URL), 401) == "authentication_failed"


def test_api_should_refuse_a_suspended_person(people: People) -> None:
    by_token, by_session = client_of(people.owner), APIClient()
    by_session.force_login(people.owner)
    people.owner.is_active = False
    people.owner.save()
    assert code_of(by_token.get(URL), 401) == "authentication_failed"
    assert code_of(by_session.get(URL), 401) == "not_authenticated"


def test_a_session_should_need_the_csrf_token_to_write(people: People) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(people.owner)
    assert client.get(URL).status_code == 200
    assert code_of(client.post(URL, {"name": "x"}, format="json"), 403) == "csrf_failed"


def test_a_flood_should_be_told_when_to_come_back(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    monkeypatch.setattr(
        UserThrottle, "THROTTLE_RATES", {**api_settings.DEFAULT_THROTTLE_RATES, "user": "2/min"}
    )
    client = client_of(people.owner)
    answers = [client.get(URL) for _ in range(3)]
    assert [a.status_code for a in answers[:2]] == [200, 200]
    assert code_of(answers[2], 429) == "too_many_requests"
    assert 0 < int(answers[2]["Retry-After"]) <= 61


def test_nobody_should_be_throttled_while_the_cache_is_away(people: People, settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "gone"}
    }
    assert client_of(people.owner).get(URL).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v2/search", "/api/v1/documents/1"]
)
def test_unknown_addresses_should_be_problems(people: People, path: str) -> None:
    assert code_of(client_of(people.owner).get(path), 404) == "not_found"


def test_other_methods_and_types_should_be_problems(people: People) -> None:
    client = client_of(people.owner)
    assert code_of(client.put(URL, {}, format="json"), 405) == "method_not_allowed"
    assert (
        code_of(client.generic("POST", URL, b"<a/>", content_type="text/xml"), 415)
        == "unsupported_media_type"
    )
    assert client.get(URL, headers={"Accept": "application/pdf"}).status_code == 200


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid"),
        (b"{", 400, "bad_json"),
        (b"NaN", 400, "bad_json"),
        (b"\xff\xfe\x00", 400, "bad_json"),
        (b"[" * 100_000, 400, "bad_json"),
        (b"[" * 60 + b"]" * 60, 400, "bad_json"),
        (b"1" * 5000, 400, "bad_json"),
        (b'{"name": "%s"}' % (b"x" * 3 * 2**20), 413, "too_large"),
        (b"null", 400, "invalid"),
        (b'"name"', 400, "invalid"),
    ],
    ids=["nothing", "open", "NaN", "bytes", "deep", "rather deep", "digits", "large", "null", "text"],
)
def test_bodies_that_are_no_object_should_be_problems(
    people: People, body: bytes, status: int, code: str
) -> None:
    people.owner.is_superuser = True
    people.owner.save()
    answer = client_of(people.owner).generic("POST", URL, body, content_type="application/json")
    assert code_of(answer, status) == code


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (ZeroDivisionError("division by a secret"), 500, "internal"),
        (OperationalError("connection to 10.0.0.1 refused"), 503, "database_unavailable"),
        (OSError(errno.ENOSPC, "No space left on device"), 507, "storage_full"),
    ],
)
def test_faults_should_be_problems_that_tell_nothing(
    people: People, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr(documents, "delete_library", fail)
    answer = client_of(people.owner).delete(f"{URL}/{people.library.pk}")
    assert code_of(answer, status) == code
    assert str(error) not in answer.content.decode()
    assert ("Retry-After" in answer) == (status == 503)


def test_a_wrong_host_should_be_a_problem_under_api_only(db: None) -> None:
    client = Client(headers={"Host": "evil.example"})
    assert code_of(client.get("/api/v1/libraries/"), 400) == "bad_request"
    assert client.get("/login/")["Content-Type"].startswith("text/html")
