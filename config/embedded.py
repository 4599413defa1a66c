"""Embedded mode: the ingest and train workers and the beat as threads of one process in a data folder."""

from __future__ import annotations

import fcntl
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import IO

from celery import Celery
from celery.beat import EmbeddedService, Scheduler
from celery.worker import WorkController, state
from django.conf import settings
from django.db import connection
from django.utils import timezone

from config.celery import app, celery_app
from indexing import engine, healing, reconciler, tasks
from indexing.models import IndexVersion
from learning import worker as learning_worker
from library.doorbell import workers_here
from library.models import IN_PROGRESS, Document, Status

logger = logging.getLogger(__name__)

PATIENCE_S = 10.0  # for documents at work when the process is asked to stop


@contextmanager
def workers() -> Iterator[None]:
    """Work on documents in the background as soon as no other process of this data folder does.

    Leaving waits a little for the documents at work; what is not finished by then is taken up at the next
    start.
    """
    leave = threading.Event()
    thread = threading.Thread(target=_work, args=(leave,), name="ingest", daemon=True)
    thread.start()
    try:
        yield
    finally:
        leave.set()
        thread.join(PATIENCE_S)


def _work(leave: threading.Event) -> None:
    with (settings.DATA_DIR / "worker.lock").open("w") as lock:
        if not _wait_for(lock, leave):
            return
        _put_right()
        state.should_stop = None
        # A learning run holds the one thread of its worker for minutes, in which the other reads documents.
        # Celery keeps the queues of a worker in its app, so each has one.
        train_app = celery_app("quarry-train", set_as_current=False)
        running = [_start(app, "ingest", settings.INGEST_THREADS), _start(train_app, "train", 1)]
        # Beat in memory: what it would remember, the sweep finds in the database.
        beat = EmbeddedService(app, thread=True, scheduler_cls=Scheduler)
        beat.start()
        workers_here.set()
        tasks.heal.delay(confirm_s=0)
        leave.wait()
        workers_here.clear()
        beat.stop()
        learning_worker.stop()
        state.should_stop = 0  # the exit status with which Celery's loop ends: a warm shutdown
        for thread in running:
            thread.join(PATIENCE_S)


def _start(celery: Celery, queue: str, concurrency: int) -> threading.Thread:
    worker = WorkController(
        app=celery,
        hostname=f"{queue}@localhost",
        pool="threads",
        concurrency=concurrency,
        queues=[queue],
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
    )
    thread = threading.Thread(target=worker.start, name=f"worker-{queue}", daemon=True)
    thread.start()
    return thread


def _wait_for(lock: IO[str], leave: threading.Event) -> bool:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if leave.wait(0.5):
                return False


def _put_right() -> None:
    """Mend what a stop or a crash left. Nobody else works in this folder, so every message is lost, every
    lease is of a process that ended, and every difference between index and database is one to repair. Of an
    index that is lost altogether the loss is noted here; the workers build it anew."""
    try:
        now = timezone.now()
        Document.objects.filter(status__in=IN_PROGRESS).update(lease_until=now)
        Document.objects.filter(status=Status.QUEUED).update(dispatch_at=now)
        IndexVersion.objects.filter(state=IndexVersion.State.BUILDING).update(lease_until=now)
        version = engine.live_version()
        if not healing.look(version):
            engine.index().switch(engine.LIVE_ALIAS, version.collection)
            reconciler.run(settled=timedelta(0))
    except Exception:
        logger.exception("The check at the start failed; the hourly one tries again")
    finally:
        connection.close()
