"""The doorbell: tasks say which row to look at; the row says what there is to do."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from uuid import UUID

from celery import Task, shared_task
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from ingestion.models import IN_PROGRESS, Document, LearningRun, Status

logger = logging.getLogger(__name__)

# How long a message may stay unanswered before the sweep rings again.
RING_AGAIN = timedelta(seconds=60)
# Set while this process runs embedded workers. An in-memory broker reaches no other process: without workers
# here nobody would hear the ring, and the sweep of the process that has them would wait for an answer.
workers_here = threading.Event()


@shared_task(ignore_result=True)
def ingest(document_id: str) -> None:
    from ingestion import pipeline

    pipeline.run(UUID(document_id))


# Its row is claimed before the message matters, and a lost run is said to have failed, not begun again.
@shared_task(ignore_result=True, acks_late=False)
def learn(run_id: str) -> None:
    from ingestion import learning_worker

    learning_worker.run(UUID(run_id))


@shared_task(ignore_result=True)
def sweep() -> int:
    """Ring for every document that waits, and for those whose worker went away. Returns how many."""
    from ingestion import learning_runs

    learning_runs.sweep()
    now = timezone.now()
    waiting = Q(status=Status.QUEUED, dispatch_at__lte=now) | Q(status__in=IN_PROGRESS, lease_until__lt=now)
    ids = list(Document.objects.filter(waiting).order_by("dispatch_at").values_list("pk", flat=True)[:500])
    for document_id in ids:
        ring(document_id)
    return len(ids)


@shared_task(ignore_result=True)
def reconcile() -> None:
    from ingestion import reconciler

    reconciler.run()


def ring(document_id: UUID) -> None:
    """Tell the workers of a document. A broker that is down only delays it: the sweep rings again."""
    if _send(ingest, document_id):
        Document.objects.filter(pk=document_id).update(dispatch_at=timezone.now() + RING_AGAIN)


def ring_learning(run_id: UUID) -> None:
    """Tell the workers of a learning run, by the same rules."""
    if _send(learn, run_id):
        LearningRun.objects.filter(pk=run_id).update(dispatch_at=timezone.now() + RING_AGAIN)


def _send(task: Task, row_id: UUID) -> bool:
    if settings.EMBEDDED and not workers_here.is_set():
        return False
    try:
        task.delay(str(row_id))
    except (OperationalError, OSError) as error:
        logger.warning("The broker did not take a message (%s); the sweep will ring again.", error)
        return False
    return True
