"""The doorbell: tasks say which document to look at; its row says what there is to do."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from uuid import UUID

from celery import shared_task
from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from ingestion.models import IN_PROGRESS, Document, Status

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


@shared_task(ignore_result=True)
def sweep() -> int:
    """Ring for every document that waits, and for those whose worker went away. Returns how many."""
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
    if settings.EMBEDDED and not workers_here.is_set():
        return
    try:
        ingest.delay(str(document_id))
    except (OperationalError, OSError) as error:
        logger.warning("The broker did not take a message (%s); the sweep will ring again.", error)
        return
    Document.objects.filter(pk=document_id).update(dispatch_at=timezone.now() + RING_AGAIN)
