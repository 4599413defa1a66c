"""`manage.py restore FILE`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError, CommandParser

from indexing import engine
from operations.backup import BackupError, restore


class Command(BaseCommand):
    help = "Bring a backup back into an empty Quarry, and build its index."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            count = restore(file)
        except BackupError as error:
            raise CommandError(str(error)) from error
        finally:
            engine.close_index()
        self.stdout.write(f"{count} documents are back, and can be searched.")
