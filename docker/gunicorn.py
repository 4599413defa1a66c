"""The web processes: a few of them, each with threads, since most of a request is waiting."""

import os

bind = "0.0.0.0:8000"
worker_class = "gthread"
workers = int(os.environ.get("QUARRY_WEB_PROCESSES", "2"))
threads = int(os.environ.get("QUARRY_WEB_THREADS", "8"))
timeout = 120
graceful_timeout = 30
worker_tmp_dir = "/dev/shm"
accesslog = "-"
