"""The web processes: a few of them, each with threads, since most of a request is waiting."""

import os
import select
import tempfile
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from config import env


class DrainingWorker(ThreadWorker):
    """Gunicorn's, which stops accepting when it is told to end, but listens until its last answer is out:
    who connects meanwhile waits, and is reset. This one takes in who waits, and closes the door, so that the
    proxy is refused at once and asks another replica."""

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        for listener in [] if self.alive else self.sockets:
            while select.select([listener], [], [], 0)[0]:
                self.accept(listener)
            listener.close()


bind = "0.0.0.0:8000"
worker_class = DrainingWorker
workers = env.number("QUARRY_WEB_PROCESSES", 2, least=1)
threads = env.number("QUARRY_WEB_THREADS", 8, least=1)
timeout = 120
graceful_timeout = 30
worker_tmp_dir = "/dev/shm"
preload_app = True
control_socket_disable = True  # nobody asks it, and the tree is read-only

# Addresses without what is asked for: queries are nobody's business. The proxy says who asks.
accesslog = "-"
access_log_format = '%({x-real-ip}i)s "%(m)s %(U)s %(H)s" %(s)s %(B)s %(M)sms'

# Where the processes put their counts together, so that /metrics of any of them speaks for all.
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", tempfile.mkdtemp(prefix="quarry-metrics-", dir="/dev/shm"))
# NumPy would start its threads in the process that forks; a query is too small to be shared among them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def when_ready(server: Any) -> None:
    from config.warming import load_shared

    load_shared()


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
