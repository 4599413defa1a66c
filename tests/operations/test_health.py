from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from indexing import engine
from operations import health
from retrieval.index.base import IndexUnavailableError
from tests.factories import People, document


def fail(error: Exception) -> Any:
    def raise_it(*args: Any) -> None:
        raise error

    return raise_it


def test_healthz_should_need_nothing(client: Client) -> None:
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_machines_should_be_answered_by_address_and_without_tls(
    client: Client, db: None, settings: Any, path: str
) -> None:
    settings.ALLOWED_HOSTS = ["search.example.org"]
    settings.SECURE_SSL_REDIRECT = True
    assert client.get(path, headers={"host": "10.0.0.7:8000"}).status_code == 200


def test_readyz_should_be_ready_when_all_parts_answer(client: Client, db: None) -> None:
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "not_ready": [], "degraded": []})


def test_readyz_should_name_what_does_not_answer(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    monkeypatch.setattr(engine.index(), "collections", fail(IndexUnavailableError("http://secret:6333")))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (503, False)
    assert answer.json()["not_ready"] == ["index"]
    monkeypatch.setattr(health, "_database", fail(OperationalError("postgres://secret")))
    assert client.get("/readyz").json()["not_ready"] == ["database", "index"]


def test_readyz_should_ask_a_broker_that_is_not_in_this_process(
    client: Client, db: None, settings: Any
) -> None:
    settings.EMBEDDED = False
    assert client.get("/readyz").status_code == 200  # the broker of the tests is in memory, and answers


def test_metrics_should_count_routes_and_documents_without_names(client: Client, people: People) -> None:
    stored = document(people.library, name="layoffs.txt")
    client.get(f"/api/v1/documents/{stored.pk}")
    client.get("/secret-address")
    text = client.get("/metrics").content.decode()
    route = 'route="api/v1/documents/<uuid:document_id>"'
    assert f'quarry_requests_total{{method="GET",{route},status="401"}}' in text
    assert f'quarry_request_seconds_count{{method="GET",{route}}}' in text
    assert 'quarry_documents{status="queued"} 1.0' in text
    assert not any(word in text for word in ("layoffs", str(stored.pk), "Handbook", "secret-address"))


@pytest.mark.parametrize(
    ("headers", "address", "status"),
    [
        ({}, "127.0.0.1", 200),
        ({}, "::1", 200),
        ({}, "10.0.0.7", 401),
        ({"X-Forwarded-For": "127.0.0.1"}, "127.0.0.1", 401),  # a proxy on this machine asks for somebody
        ({"Forwarded": "for=10.0.0.7"}, "127.0.0.1", 401),
        ({"Authorization": "Bearer watcher"}, "10.0.0.7", 200),
        ({"Authorization": "Bearer watcher", "X-Real-IP": "10.0.0.7"}, "127.0.0.1", 200),
        ({"Authorization": "Bearer wrong"}, "10.0.0.7", 401),
        ({"Authorization": "Bearer \xfc"}, "10.0.0.7", 401),
    ],
)
def test_metrics_should_be_for_this_machine_and_for_who_has_the_token(
    client: Client, db: None, settings: Any, headers: dict[str, str], address: str, status: int
) -> None:
    settings.METRICS_TOKEN = "watcher"
    answer = client.get("/metrics", headers=headers, REMOTE_ADDR=address)
    assert answer.status_code == status
    assert (b"quarry_documents" in answer.content) == (status == 200)


def test_an_empty_token_should_open_nothing(client: Client, db: None) -> None:
    answer = client.get("/metrics", headers={"Authorization": "Bearer "}, REMOTE_ADDR="10.0.0.7")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
