"""The doorbell: tasks say which row to look at; the row says what there is to do."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from library.publishing import publish

if TYPE_CHECKING:
    from celery import Task
    from django.db.models import Model

# How long a message may stay unanswered before the sweep rings again.
RING_AGAIN = timedelta(seconds=60)
# Set while this process runs embedded workers. An in-memory broker reaches no other process: without workers
# here nobody would hear the ring, and the sweep of the process that has them would wait for an answer.
workers_here = threading.Event()


def ring(task: Task, model: type[Model], row_id: UUID) -> None:
    """Tell the workers of a row with a `dispatch_at`. A broker that is down only delays it: the sweep rings
    again."""
    if _send(task, row_id):
        model._default_manager.filter(pk=row_id).update(dispatch_at=timezone.now() + RING_AGAIN)


def _send(task: Task, row_id: UUID) -> bool:
    if settings.EMBEDDED and not workers_here.is_set():
        return False
    return publish(task, str(row_id))
