"""Waiting for documents that are read in the background, for the commands that show their progress."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import nullcontext
from uuid import UUID

from django.conf import settings
from django.core.management import CommandError
from django.db.models import QuerySet
from tqdm import tqdm

from config.embedded import workers
from library.models import PENDING, Document

POLL_S = 0.3


def wait_for(ids: list[UUID]) -> None:
    """Show progress until every document has come to an end, in this process or in the server's.

    Raises `CommandError` when the person stops it: what is stored goes on when Quarry runs again.
    """
    try:
        with workers() if settings.EMBEDDED else nullcontext():
            _show(ids)
    except KeyboardInterrupt:
        raise CommandError("Stopped. What is stored is indexed when Quarry runs again.") from None


def batches(ids: list[UUID]) -> Iterator[QuerySet[Document]]:
    """Yield the documents, as many at a time as every database takes ids in a query."""
    for start in range(0, len(ids), 500):
        yield Document.objects.filter(pk__in=ids[start : start + 500])


def _show(ids: list[UUID]) -> None:
    with tqdm(total=len(ids), desc="Indexing", unit=" files", disable=None) as bar:
        while (left := _pending(ids)) > 0:
            bar.update(len(ids) - left - bar.n)
            time.sleep(POLL_S)
        bar.update(len(ids) - bar.n)


def _pending(ids: list[UUID]) -> int:
    return sum(documents.filter(status__in=PENDING).count() for documents in batches(ids))
