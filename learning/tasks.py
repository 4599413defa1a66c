"""The tasks of learning."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone

from learning import runs, worker
from learning.models import LearningRun
from library import doorbell


# Its row is claimed before the message matters, and a lost run is said to have failed, not begun again.
@shared_task(ignore_result=True, acks_late=False)
def learn(run_id: str) -> None:
    worker.run(UUID(run_id))


@shared_task(ignore_result=True)
def sweep() -> None:
    """Declare a run dead whose process is gone, and ring for the one that is next."""
    runs.end_lost()
    first = runs.next_in_line()
    if first and first.dispatch_at <= timezone.now():
        ring(first.pk)


def ring(run_id: UUID) -> None:
    """Tell the workers of a learning run."""
    doorbell.ring(learn, LearningRun, run_id)
