"""`manage.py adapt --library NAME`: learn from the library's own documents."""

from __future__ import annotations

import os
from typing import Any

from django.core.management import CommandError, CommandParser
from tqdm import tqdm

from ingestion.learning import NotLearnableError, learn
from ingestion.models import Library
from ingestion.reindex import ReindexError
from searchapp.management.data import DataCommand


class Command(DataCommand):
    help = "Fit the encoder to a library's own documents, and switch to the result if it is better."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--library", required=True)

    def handle(self, *args: Any, library: str, **options: Any) -> None:
        target = Library.objects.filter(name=library).first()
        if target is None:
            raise CommandError(f"There is no library {library}.")
        os.nice(10)  # a server beside it comes first
        with tqdm(total=100, desc="Learning", unit="%", disable=None) as bar:

            def show(share: float) -> None:
                bar.update(int(100 * share) - bar.n)

            try:
                report = learn(target, show)
            except (NotLearnableError, ReindexError) as error:
                raise CommandError(str(error)) from error
        self.stdout.write(
            f"{report.passages} passages, {report.training_pairs} pairs, {report.held_out_pairs} held out"
        )
        for dimensions, after in report.after.items():
            before = report.before[dimensions]
            self.stdout.write(
                f"  {dimensions:5} dimensions: nDCG@10 {before.ndcg_at_10:.3f} -> {after.ndcg_at_10:.3f}"
            )
        self.stdout.write(report.reason)
        self.stdout.write("The new model is live." if report.better else "The model stays as it is.")
