"""The tasks that keep the index right."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from indexing import engine, healing, reconciler

HEALING_S = 24 * 3600


# A large index takes longer than the hard time limit of other tasks. Its lease tells whether it is at work.
@shared_task(ignore_result=True, acks_late=False, time_limit=HEALING_S)
def heal(confirm_s: float = 5.0) -> None:
    healing.heal(timedelta(seconds=confirm_s))


@shared_task(ignore_result=True)
def reconcile() -> None:
    if not healing.look(engine.live_version()):
        reconciler.run()
