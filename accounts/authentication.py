"""Tokens in `Authorization: Bearer`: stored hashed, expiring, one command away (`manage.py token`)."""

from __future__ import annotations

from typing import Any

from knox import auth
from rest_framework.exceptions import AuthenticationFailed


class TokenAuthentication(auth.TokenAuthentication):  # type: ignore[misc]
    """knox's; what cannot be a token does not reach its database look-up, which may not survive it."""

    def authenticate_credentials(self, token: bytes) -> Any:
        if not token.isalnum():
            raise AuthenticationFailed("Invalid token.")
        return super().authenticate_credentials(token)
