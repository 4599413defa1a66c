"""The web processes: a few of them, each with threads, since most of a request is waiting."""

import os
import tempfile
from typing import Any

from config import env

bind = "0.0.0.0:8000"
worker_class = "gthread"
workers = env.number("QUARRY_WEB_PROCESSES", 2, least=1)
threads = env.number("QUARRY_WEB_THREADS", 8, least=1)
timeout = 120
graceful_timeout = 30
worker_tmp_dir = "/dev/shm"
accesslog = "-"

# Where the processes put their counts together, so that /metrics of any of them speaks for all.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="quarry-metrics-"))


def post_worker_init(worker: Any) -> None:
    """Before its first request, and after the fork, since an open index does not survive one."""
    from django.db import connections

    from config.warming import warm

    warm()
    connections.close_all()


def child_exit(server: Any, worker: Any) -> None:
    """What a process said of itself ends with it; what it counted stays."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(worker.pid)
