"""`manage.py reindex`: build a new index version beside the live one, and switch."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand, CommandError
from tqdm import tqdm

from ingestion import engine
from ingestion.reindex import ReindexError, reindex
from retrieval.index.base import IndexUnavailableError


class Command(BaseCommand):
    help = "Build a new index version with today's settings beside the live one, check it, and switch to it."

    def handle(self, *args: Any, **options: Any) -> None:
        with tqdm(desc="Indexing", unit=" chunks", disable=None) as bar:

            def show(done: int, total: int) -> None:
                bar.total = total
                bar.update(done - bar.n)

            try:
                version = reindex(progress=show)
            except (ReindexError, IndexUnavailableError) as error:
                raise CommandError(str(error)) from error
            finally:
                engine.close_index()
        self.stdout.write(f"{bar.n} chunks in {version.collection}, which is live now.")
