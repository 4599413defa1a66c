"""Claiming a document: a guarded UPDATE with a lease that is kept alive while its worker lives."""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from library.heartbeat import heartbeat
from library.models import IN_PROGRESS, Document, Status

LEASE = timedelta(seconds=45)
MAX_ATTEMPTS = 3
WAIT_FOR_INDEX = timedelta(seconds=5)


@dataclass(frozen=True)
class Claim:
    """The right to work on one version of a document until the lease ends.

    Every write is guarded by the lease and the version, so a worker that lost its claim changes nothing.
    """

    document: Document
    lease: uuid.UUID

    def _update(self, **fields: Any) -> bool:
        mine = Document.objects.filter(pk=self.document.pk, lease=self.lease, version=self.document.version)
        return mine.update(updated_at=timezone.now(), **fields) == 1

    def progress(self, status: Status, share: float) -> None:
        self._update(status=status, progress=share, lease_until=timezone.now() + LEASE)

    def publish(self, **fields: Any) -> bool:
        """Say `ready`; false if the document is no longer ours. To be called inside the transaction that
        writes the chunks."""
        return self._update(
            status=Status.READY,
            progress=1.0,
            active_version=self.document.version,
            attempts=0,
            error_code="",
            error_message="",
            lease=None,
            lease_until=None,
            **fields,
        )

    def fail(self, code: str, message: str, status: Status = Status.FAILED) -> None:
        self._update(
            status=status, error_code=code, error_message=message, progress=1.0, lease=None, lease_until=None
        )

    def try_again(self, code: str, message: str) -> None:
        """Queue for another attempt, or quarantine after the last one."""
        if self.document.attempts >= MAX_ATTEMPTS:
            return self.fail(code, f"{message} Gave up after {MAX_ATTEMPTS} attempts.", Status.QUARANTINED)
        delay = timedelta(seconds=2**self.document.attempts)
        self._requeue(dispatch_at=timezone.now() + delay, error_code=code, error_message=message)

    def wait(self) -> None:
        """Queue again without counting this attempt: the fault is not the document's."""
        self._requeue(dispatch_at=timezone.now() + WAIT_FOR_INDEX, attempts=F("attempts") - 1)

    def _requeue(self, **fields: Any) -> None:
        self._update(status=Status.QUEUED, progress=0.0, lease=None, lease_until=None, **fields)

    def heartbeat(self) -> AbstractContextManager[None]:
        """Keep the lease alive, so that only a worker that died loses it."""
        return heartbeat(lambda: self._update(lease_until=timezone.now() + LEASE))


def claim_document(document_id: uuid.UUID) -> Claim | None:
    """Take the document, if it waits or its worker went away; else None. Counts the attempt first, so that
    a file that kills its worker is quarantined after the third."""
    now = timezone.now()
    free = Q(status=Status.QUEUED) | Q(status__in=IN_PROGRESS, lease_until__lt=now)
    lease = uuid.uuid4()
    taken = Document.objects.filter(free, pk=document_id).update(
        status=Status.PARSING,
        lease=lease,
        lease_until=now + LEASE,
        attempts=F("attempts") + 1,
        progress=0.05,
        updated_at=now,
    )
    if not taken:
        return None
    document = Document.objects.select_related("library").filter(pk=document_id, lease=lease).first()
    if document is None:
        return None
    claim = Claim(document, lease)
    if document.attempts > MAX_ATTEMPTS:
        claim.fail(
            "crashed",
            f"Its worker was lost {MAX_ATTEMPTS} times. Check the file, then upload it again.",
            Status.QUARANTINED,
        )
        return None
    return claim
