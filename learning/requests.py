"""Ask for a learning run."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from learning import runs, tasks
from learning.models import LearningRun
from library.errors import RefusedError
from library.models import Library


def request(library: Library, *, by: Any) -> LearningRun:
    """Queue a run, and ring for it once that is committed. Where one waits or works already, that one.

    Raises `RefusedError` where the library has too few passages.
    """
    if (chunks := runs.chunk_count(library)) < runs.WORTH_LEARNING:
        needed = f"Learning needs at least {runs.WORTH_LEARNING} passages, and this library has {chunks}."
        raise RefusedError("too_small", 422, f"{needed} Add documents first.")
    run, created = runs.create(library, by, state=LearningRun.State.QUEUED)
    if created:
        transaction.on_commit(lambda: tasks.ring(run.pk))
    return run
