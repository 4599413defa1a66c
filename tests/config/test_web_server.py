"""The embedded web server finishes what it has begun, and refuses what comes after it was told to stop."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from config.web_server import serve


@dataclass
class Slow:
    """An application whose answers wait until `gate` is open."""

    begun: threading.Event = field(default_factory=threading.Event)
    gate: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.begun.set()
        self.gate.wait(10)
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "4")])
        return [b"done"]


@dataclass
class Server:
    application: Slow
    port: int
    stop: threading.Event
    thread: threading.Thread

    @contextmanager
    def ask(self) -> Iterator[http.client.HTTPConnection]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)) as connection:
            connection.request("GET", "/")
            yield connection


@pytest.fixture
def server() -> Iterator[Server]:
    application, stop = Slow(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(application, listener, stop))
        thread.start()
        yield Server(application, listener.getsockname()[1], stop, thread)
        application.gate.set()
        stop.set()
        thread.join(15)
        assert not thread.is_alive()


def test_a_request_at_work_should_be_answered_after_the_stop(server: Server) -> None:
    with server.ask() as asked:
        assert server.application.begun.wait(5)
        server.stop.set()
        server.thread.join(1.5)
        assert server.thread.is_alive(), "it ends when the answer is out"
        server.application.gate.set()
        assert asked.getresponse().read() == b"done"


def test_a_client_that_comes_after_the_stop_should_be_refused_at_once(server: Server) -> None:
    with server.ask() as asked:
        assert server.application.begun.wait(5)
        server.stop.set()
        server.thread.join(1)
        with pytest.raises(ConnectionRefusedError), server.ask():
            pass
        server.application.gate.set()
        assert asked.getresponse().status == 200


def test_an_idle_connection_should_not_hold_the_stop_up(server: Server) -> None:
    server.application.gate.set()
    with server.ask() as idle:
        assert idle.getresponse().read() == b"done"
        server.stop.set()
        server.thread.join(5)
        assert not server.thread.is_alive()
