"""What a first start makes: the tables, an admin, a live index."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

from config import env
from indexing import engine


def keep_private() -> None:
    """Let nobody else on this machine read what the data folder holds: not what this process makes from now
    on, nor what an earlier version left readable."""
    if not settings.EMBEDDED:
        return
    os.umask(0o077)
    settings.DATA_DIR.chmod(0o700)
    for database in settings.DATA_DIR.glob("quarry.sqlite3*"):
        database.chmod(0o600)


def prepare(say: Callable[[str], object]) -> None:
    """Bring the database up to date, and make what is missing; a second call changes nothing."""
    call_command("migrate", verbosity=0, interactive=False)
    _create_admin(say)
    engine.live_version()


def _create_admin(say: Callable[[str], object]) -> None:
    users = get_user_model().objects
    if users.filter(is_superuser=True).exists():
        return
    given = env.text("QUARRY_ADMIN_PASSWORD")
    password = given or secrets.token_urlsafe(12)
    users.create_superuser("admin", password=password)
    say(f"The admin is called admin; the password is {'QUARRY_ADMIN_PASSWORD' if given else password}")
