"""`make run`: prepare the data folder, and serve everything from one process."""

from __future__ import annotations

import logging
import secrets
import signal
import socket
from typing import Any

import waitress
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError, call_command

from ingestion import engine
from searchapp import env, reranking
from searchapp.demo import load_demo
from searchapp.embedded import workers
from searchapp.wsgi import application

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Serve Quarry from this one process: web, ingest worker and index."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError(
                "`serve` is for one machine. With QUARRY_REDIS_URL set, start the processes of docker-compose.yml."
            )
        host, port = env.text("QUARRY_HOST", "127.0.0.1"), env.number("QUARRY_PORT", 8000, most=65535)
        listener = self._bind(host, port)
        call_command("migrate", verbosity=0, interactive=False)
        self._create_admin()
        load_demo()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with workers():
            engine.live_version()  # opens the index before the first query waits for it
            if settings.RERANK_BACKEND != "off":
                reranking.batching()
            shown = f"[{host}]" if ":" in host else host
            self.stdout.write(f"Quarry is at http://{shown}:{listener.getsockname()[1]}  (Ctrl-C stops it)")
            self.stdout.flush()
            try:
                waitress.serve(
                    application,
                    sockets=[listener],
                    threads=8,
                    max_request_body_size=settings.MAX_UPLOAD_BYTES + 2**20,
                    ident=None,
                    _quiet=True,
                )
            except KeyboardInterrupt:
                pass
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            self.stdout.write("Stopping.")
        engine.index().close()

    def _bind(self, host: str, port: int) -> socket.socket:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Cannot listen on {host}:{port} ({error.strerror}). Is Quarry running already? "
                "QUARRY_PORT chooses another port."
            ) from error
        return listener

    def _create_admin(self) -> None:
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        password = env.text("QUARRY_ADMIN_PASSWORD") or secrets.token_urlsafe(12)
        users.create_superuser("admin", password=password)  # type: ignore[attr-defined]
        self.stdout.write(f"The admin is called admin, with the password {password}")
