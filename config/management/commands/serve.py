"""`make run`: prepare the data folder, and serve everything from one process."""

from __future__ import annotations

import signal
import socket
import threading
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from config import env
from config.embedded import workers
from config.first_start import keep_private, prepare
from config.warming import warm
from config.web_server import serve
from config.wsgi import application
from indexing import engine
from ingestion.demo import load_demo
from searchapp import scoring


class Command(BaseCommand):
    help = "Serve Quarry from this one process: web, ingest worker and index."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError(
                "`serve` is for one machine. With QUARRY_REDIS_URL set, start the services in compose."
            )
        listener = self._listen(
            env.text("QUARRY_HOST", "127.0.0.1"), env.number("QUARRY_PORT", 8000, most=65535)
        )
        keep_private()
        try:
            prepare(self.stdout.write)
        except DatabaseError as error:
            folder = settings.DATA_DIR
            raise CommandError(
                f"The database in {folder} does not open: {error}. Is the disk full?"
            ) from error
        load_demo()
        self._load_reranker()
        warm()
        with workers():
            self._serve(listener)
            self.stdout.write("Stopping.")
        engine.close_index()

    def _load_reranker(self) -> None:
        if settings.RERANK_BACKEND == "off":
            return
        try:
            scoring.batching()
        except scoring.RerankerSettingsError as error:
            raise CommandError(str(error)) from error

    def _listen(self, host: str, port: int) -> socket.socket:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host}, port {port}: {error.strerror}. Does Quarry run already? "
                "QUARRY_PORT chooses another port."
            ) from error
        return listener

    def _serve(self, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        self.stdout.write(
            f"Quarry is at http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C stops it)"
        )
        self.stdout.flush()
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        serve(application, listener, stop)
