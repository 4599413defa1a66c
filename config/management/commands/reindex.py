"""`manage.py reindex`: build a new index version beside the live one, and switch."""

from __future__ import annotations

from typing import Any

from django.core.management import CommandError
from tqdm import tqdm

from config.management.data import DataCommand
from indexing.reindex import ReindexError, reindex


class Command(DataCommand):
    help = "Build a new index version with today's settings beside the live one, check it, and switch to it."

    def handle(self, *args: Any, **options: Any) -> None:
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
