"""The tasks that keep the index right."""

from __future__ import annotations

from celery import shared_task

from indexing import reconciler


@shared_task(ignore_result=True)
def reconcile() -> None:
    reconciler.run()
