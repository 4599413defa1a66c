"""Embedded mode: the web server, which answers what it has begun before it ends."""

from __future__ import annotations

import select
import socket
import threading
import time
from typing import Any

import waitress
from django.conf import settings
from waitress import wasyncore

PATIENCE_S = 30.0  # for requests at work
LINGER_S = 1.0  # for a request that a client is just sending
TICK_S = 0.2


def serve(application: Any, listener: socket.socket, stop: threading.Event) -> None:
    """Serve until `stop`; then refuse new connections at once, and finish the requests of the others."""
    sockets: dict[int, Any] = {}
    server = waitress.create_server(
        application,
        map=sockets,
        sockets=[listener],
        threads=8,
        # More than a file may have, so that our own refusal, with its code, is what people see.
        max_request_body_size=4 * settings.MAX_UPLOAD_BYTES,
        ident=None,
    )
    while not stop.is_set():
        _serve_for(TICK_S, sockets)
    _close_door(server, listener)
    _finish(server, sockets)
    server.task_dispatcher.shutdown()
    wasyncore.file_dispatcher.close(server.trigger)  # its own leaves a file to the garbage collector
    server.trigger.close()


def _serve_for(seconds: float, sockets: dict[int, Any]) -> None:
    wasyncore.loop(timeout=seconds, use_poll=True, map=sockets, count=1)


def _close_door(server: Any, listener: socket.socket) -> None:
    """Take in who waits, and would be reset otherwise. The server's own `close` also ends what its threads
    wake it by."""
    while select.select([listener], [], [], 0)[0]:
        server.handle_accept()
    wasyncore.dispatcher.close(server)


def _finish(server: Any, sockets: dict[int, Any]) -> None:
    begun = time.monotonic()
    while server.active_channels and (waited := time.monotonic() - begun) < PATIENCE_S:
        for channel in server.active_channels.values() if waited > LINGER_S else ():
            if not (channel.requests or channel.request or channel.total_outbufs_len):
                channel.will_close = True
        _serve_for(TICK_S, sockets)
