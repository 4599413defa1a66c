"""Claim a learning run, say how far it is and what came of it: the writers of its rows."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from indexing.models import IndexVersion
from learning.models import LearningRun
from library.errors import RefusedError
from library.heartbeat import heartbeat
from library.models import Document, Library

State = LearningRun.State
ACTIVE = (State.QUEUED, State.RUNNING)

# Longer than a process of low priority needs to start on a busy machine, and than a laptop's short sleep.
LEASE = timedelta(seconds=120)
WRITE_EVERY_S = 1.0
WORTH_LEARNING = 200  # chunks; fewer teach too little
GROWN_BY = 1.5  # times the chunks of the last run, and there is something new to learn
STOPPED = "Learning was stopped before its end. Start it again."


class LostRunError(Exception):
    """The run is no longer ours: its row is gone, or somebody has declared it dead."""


def begin(library: Library, *, by: Any = None) -> LearningRun:
    """A run that works from now on, in this process: a new one, or the library's that waits.

    Raises `RefusedError` where another run is at work.
    """
    end_lost()
    waiting = LearningRun.objects.filter(library=library, state=State.QUEUED).first()
    if waiting and (claimed := claim(waiting.pk)):
        return claimed
    now = timezone.now()
    run, created = create(library, by, state=State.RUNNING, started_at=now, lease_until=now + LEASE)
    if not created:
        raise RefusedError(
            "learning_already",
            409,
            f"Quarry is learning the library {run.library}, {run.progress:.0%} done. Try again after that.",
        )
    return run


def create(library: Library, by: Any, **fields: Any) -> tuple[LearningRun, bool]:
    """A new row and true, or the one that stands in its way and false."""
    for _ in range(3):
        try:
            with transaction.atomic():
                return LearningRun.objects.create(
                    library=library, requested_by=by, chunks=chunk_count(library), **fields
                ), True
        except IntegrityError:
            active = LearningRun.objects.filter(state__in=ACTIVE).select_related("library")
            in_the_way = active.filter(library=library).first() or active.filter(state=State.RUNNING).first()
            if in_the_way:  # else it ended at this moment
                return in_the_way, False
    raise RefusedError("busy", 503, "Other learning runs begin and end at this moment. Try again.")


def claim(run_id: UUID) -> LearningRun | None:
    """Take a run that waits; None where it is gone, taken, or another library is being learned."""
    now = timezone.now()
    waiting = LearningRun.objects.filter(pk=run_id, state=State.QUEUED)
    try:
        with transaction.atomic():
            if not waiting.update(state=State.RUNNING, started_at=now, lease_until=now + LEASE):
                return None
    except IntegrityError:
        return None
    return at_work(run_id)


def at_work(run_id: UUID) -> LearningRun | None:
    return LearningRun.objects.select_related("library").filter(pk=run_id, state=State.RUNNING).first()


def keep_alive(run: LearningRun) -> AbstractContextManager[None]:
    return heartbeat(lambda: _renew(run))


def _renew(run: LearningRun, **fields: Any) -> bool:
    mine = LearningRun.objects.filter(pk=run.pk, state=State.RUNNING)
    return mine.update(lease_until=timezone.now() + LEASE, **fields) == 1


@dataclass
class Progress:
    """Writes the share done, 0 to 1, into the run's row, once a second at the most.

    Raises `LostRunError` so that a process that was taken for dead stops.
    """

    run: LearningRun
    _next: float = 0.0

    def __call__(self, share: float) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + WRITE_EVERY_S
        if not _renew(self.run, progress=share):
            raise LostRunError


def finish(run: LearningRun, report: dict[str, Any], version: IndexVersion | None) -> None:
    """Write down what came of it; also where the run was taken for dead, since this is what is true."""
    LearningRun.objects.filter(pk=run.pk).update(
        state=State.DONE,
        progress=1.0,
        report=report,
        index_version=version,
        error_message="",
        lease_until=None,
        finished_at=timezone.now(),
    )


def fail(run_id: UUID, message: str) -> None:
    """End a run that has not ended; of one that has, nothing changes."""
    LearningRun.objects.filter(pk=run_id, state__in=ACTIVE).update(
        state=State.FAILED, error_message=message, lease_until=None, finished_at=timezone.now()
    )


def next_in_line() -> LearningRun | None:
    """The run that waits longest; None where one works already."""
    if LearningRun.objects.filter(state=State.RUNNING).exists():
        return None
    return LearningRun.objects.filter(state=State.QUEUED).order_by("created_at").first()


def end_lost() -> None:
    lost = LearningRun.objects.filter(state=State.RUNNING, lease_until__lt=timezone.now())
    for run_id in lost.values_list("pk", flat=True):
        fail(run_id, STOPPED)


def chunk_count(library: Library) -> int:
    """Passages of the library that search shows."""
    shown = Document.objects.filter(library=library, active_version__isnull=False)
    return shown.aggregate(chunks=Sum("chunk_count"))["chunks"] or 0


def reason_to_learn(last: LearningRun | None, chunks: int) -> str:
    """Why a library of so many passages should be learned now, in a sentence, given the last run that came to
    its end; empty where there is no reason."""
    if chunks < WORTH_LEARNING:
        return ""
    if last is None:
        return "Quarry has not learned this library yet."
    if chunks >= GROWN_BY * last.chunks:
        return f"The library has grown from {last.chunks:,} to {chunks:,} passages since Quarry learned it."
    return ""
