"""`manage.py reindex [--reparse]`: build a new index version beside the live one, and switch."""

from __future__ import annotations

from typing import Any

from django.core.management import CommandError, CommandParser
from tqdm import tqdm

from config.management.data import DataCommand
from config.management.waiting import wait_for
from indexing.reindex import ReindexError, reindex
from ingestion.documents import read_again


class Command(DataCommand):
    help = "Build a new index version with today's settings beside the live one, check it, and switch to it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reparse",
            action="store_true",
            help="first read every stored file again; the old passages answer until a file's new ones do",
        )

    def handle(self, *args: Any, reparse: bool, **options: Any) -> None:
        if reparse:
            wait_for(read_again())
        with tqdm(desc="Indexing", unit=" chunks", disable=None) as bar:
            chunks = 0

            def show(done: int, total: int) -> None:
                nonlocal chunks
                bar.total = total
                bar.update(done - chunks)
                chunks = done

            try:
                version = reindex(progress=show)
            except ReindexError as error:
                raise CommandError(str(error)) from error
        self.stdout.write(f"{chunks} chunks in {version.collection}, which is live now.")
