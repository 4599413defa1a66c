"""What people and programs are told while the database is away or locked."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test import Client
from rest_framework.test import APIClient

from operations import problems
from tests.factories import user


@pytest.fixture
def locked(transactional_db: None) -> Any:
    """Another process holds the write lock for longer than anybody waits."""
    holder = sqlite3.connect(str(connection.settings_dict["NAME"]), isolation_level=None)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 50")
    yield lambda: holder.execute("BEGIN IMMEDIATE")
    holder.close()
    connection.close()


@pytest.mark.skipif("sqlite" not in settings.DATABASES["default"]["ENGINE"], reason="locks are SQLite's")
def test_a_page_should_say_when_to_come_back(locked: Any) -> None:
    admin = user("admin")
    admin.is_superuser = True
    admin.save()
    browser = Client(raise_request_exception=False)
    browser.force_login(admin)
    locked()
    answer = browser.post("/libraries/", {"name": "New"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert b"database does not answer" in answer.content


@pytest.mark.parametrize("path", ["/", "/api/v1/libraries"])
def test_a_fault_before_the_view_should_be_told_alike(db: None, path: str, rf: Any) -> None:
    """Sessions and tokens are looked up before any view of ours runs."""
    try:
        raise OperationalError("the server closed the connection")
    except OperationalError:
        answer = problems.server_error(rf.get(path))
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")


@pytest.mark.parametrize("path", ["/", "/api/v1/libraries"])
def test_other_faults_should_stay_faults(db: None, path: str, rf: Any) -> None:
    try:
        raise RuntimeError
    except RuntimeError:
        answer = problems.server_error(rf.get(path))
    assert answer.status_code == 500
    assert "Retry-After" not in answer


def test_a_locked_database_should_be_told_to_programs_too(locked: Any) -> None:
    from knox.models import AuthToken

    admin = user("admin")
    admin.is_superuser = True
    admin.save()
    _, token = AuthToken.objects.create(admin)
    locked()
    client = APIClient(raise_request_exception=False, headers={"Authorization": f"Bearer {token}"})
    answer = client.post("/api/v1/libraries", {"name": "New"}, format="json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["code"] == "database_unavailable"
