"""`manage.py adapt --library NAME`: learn from the library's own documents."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management import CommandError, CommandParser
from tqdm import tqdm

from config.management.data import DataCommand, library_of
from indexing.reindex import ReindexError
from learning import runs
from learning.process import perform
from library.errors import RefusedError
from library.models import Library
from retrieval.encoder import EncoderUnavailableError
from training.adapt import AdaptReport
from training.static_model import NotStaticError

NICENESS = 15  # a server beside it comes first


class Command(DataCommand):
    help = "Fit the encoder to a library's own documents, and switch to the result if it is better."

    def add_arguments(self, parser: CommandParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--library", metavar="NAME")
        which.add_argument("--run", type=UUID, help="for the train worker: a run that it has claimed")

    def handle(self, *args: Any, library: str | None, run: UUID | None, **options: Any) -> None:
        give_way()
        try:
            if run:
                self._perform(run)
            else:
                self._learn(str(library))
        except (EncoderUnavailableError, NotStaticError, ReindexError) as error:
            raise CommandError(str(error)) from error
        except runs.LostRunError:
            raise CommandError("This run was taken for dead, since nothing was heard of it.") from None

    def _perform(self, run_id: UUID) -> None:
        _end_with_starter()
        if run := runs.at_work(run_id):
            perform(run)

    def _learn(self, name: str) -> None:
        target = library_of(Library.objects.all(), name)
        try:
            run = runs.begin(target)
        except RefusedError as error:
            raise CommandError(error.message) from error
        with tqdm(total=100, desc="Learning", unit="%", disable=None) as bar:
            self._print(perform(run, lambda share: _show(bar, share)))

    def _print(self, report: AdaptReport) -> None:
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


def give_way() -> None:
    """Lower the priority of every thread, since Linux counts each by itself, and those of the linear algebra
    were started with the process; and of its session. Where "autogroup" is on (`man 7 sched`) sessions share
    the processors evenly, however nice the threads within each are."""
    os.nice(NICENESS)
    for thread in Path("/proc/self/task").glob("*"):
        with suppress(OSError):  # it has ended
            os.setpriority(os.PRIO_PROCESS, int(thread.name), NICENESS)
    if os.getsid(0) == os.getpid():  # else it is the terminal's
        with suppress(OSError):  # a system without it
            Path("/proc/self/autogroup").write_text(str(NICENESS))


def _show(bar: Any, share: float) -> None:
    bar.update(int(100 * share) - bar.n)


def _end_with_starter() -> None:
    """Stop when standard input ends, as it does when the worker that started this process asks for it, or is
    gone, however it went."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)

    def watch() -> None:
        os.read(sys.stdin.fileno(), 1)
        _thread.interrupt_main()

    threading.Thread(target=watch, name="starter", daemon=True).start()
