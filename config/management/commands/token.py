"""`manage.py token USERNAME`: a new API token, printed once and stored only as a hash."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import CommandError, CommandParser
from knox.models import get_token_model

from config.management.data import DataCommand


class Command(DataCommand):
    help = "Print a new API token for a user."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = get_user_model().objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no user {username}.")
        if not user.is_active:
            raise CommandError(f"The user {username} is suspended; a token would not be accepted.")
        _, token = get_token_model().objects.create(user)
        self.stdout.write(token)
