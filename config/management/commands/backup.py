"""`manage.py backup FILE`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management import CommandError, CommandParser

from config.management.data import DataCommand
from operations.backup import backup


class Command(DataCommand):
    help = "Write everything to one file: rows, original files, learned models. The server may run."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            count = backup(file)
        except OSError as error:
            raise CommandError(f"The backup could not be written: {error}") from error
        self.stdout.write(f"{count} documents in {file}, {file.stat().st_size / 2**20:.1f} MB")
