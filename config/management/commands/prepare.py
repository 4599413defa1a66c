"""`manage.py prepare`: what production runs once before its services start."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand

from config.first_start import prepare


class Command(BaseCommand):
    help = "Bring the database up to date, and make the admin and the index on the first start."

    def handle(self, *args: Any, **options: Any) -> None:
        prepare(self.stdout.write)
