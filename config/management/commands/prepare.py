"""`manage.py prepare`: what production runs once before its services start."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError, connection

from config.first_start import keep_private, prepare
from indexing import engine
from retrieval.index.base import IndexUnavailableError

PATIENCE_S = 60.0  # for servers that start at the same time


class Command(BaseCommand):
    help = "Bring the database up to date, and make the admin and the index on the first start."

    def handle(self, *args: Any, **options: Any) -> None:
        keep_private()
        until = time.monotonic() + PATIENCE_S
        try:
            _wait_for("database", connection.ensure_connection, until)
            _wait_for("index", engine.index().collections, until)
            prepare(self.stdout.write)
        finally:
            engine.close_index()


def _wait_for(name: str, ask: Callable[[], object], until: float) -> None:
    while True:
        try:
            ask()
            return
        except (DatabaseError, IndexUnavailableError) as error:
            if time.monotonic() > until:
                reason = str(error).strip().splitlines()[0]
                raise CommandError(
                    f"The {name} did not answer within {PATIENCE_S:.0f} seconds: {reason}. "
                    "Start it, check its address in the settings, and run prepare again."
                ) from error
        time.sleep(1)
