"""A program that talks to the REST API with a token."""

from __future__ import annotations

from typing import Any

from knox.models import AuthToken
from rest_framework.test import APIClient


def client_of(user: Any) -> APIClient:
    """A client with a token of the user; answers 500 as the server would, instead of raising."""
    _, token = AuthToken.objects.create(user)
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def code_of(response: Any, status: int) -> str:
    """The problem's code, once its form is checked."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["type"] == "about:blank" and body["title"] and body["detail"]
    return str(body["code"])
