"""The tasks of the document path."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.db.models import Q
from django.utils import timezone

from ingestion import memory, pipeline
from library import doorbell
from library.models import IN_PROGRESS, Document, Status


@shared_task(ignore_result=True)
def ingest(document_id: str) -> None:
    pipeline.run(UUID(document_id))
    memory.give_back()


@shared_task(ignore_result=True)
def sweep() -> int:
    """Ring for every document that waits, and for those whose worker went away. Returns how many."""
    now = timezone.now()
    waiting = Q(status=Status.QUEUED, dispatch_at__lte=now) | Q(status__in=IN_PROGRESS, lease_until__lt=now)
    ids = list(Document.objects.filter(waiting).order_by("dispatch_at").values_list("pk", flat=True)[:500])
    for document_id in ids:
        ring(document_id)
    return len(ids)


def ring(document_id: UUID) -> None:
    """Tell the workers of a document."""
    doorbell.ring(ingest, Document, document_id)
