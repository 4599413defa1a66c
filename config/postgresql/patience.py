"""A connection that tells a slow query from a server that hangs.

The kernel goes on accepting and acknowledging for a process that is stopped, and a timeout of the server's
own needs a server that runs. While a query is silent, the client therefore knocks: a server that is alive
answers a newcomer at once, whatever its other sessions do.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Generator
from typing import Any, Self

import psycopg
from psycopg.abc import PQGen

KNOCK_S = 0.5
# Asks whether the server speaks TLS: a message that PostgreSQL answers before it asks for a name.
SSL_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


class PatientConnection(psycopg.Connection[Any]):
    """Raises `psycopg.OperationalError`, and is closed, once the server was silent for `patience` seconds and
    did not answer a knock either. A server that answers may take as long for a query as its own limits allow.
    """

    patience: float

    @classmethod
    def connect(cls, conninfo: str = "", *, patience: float, **kwargs: Any) -> Self:  # type: ignore[override]
        """Connect to a server that answers a knock; one that hangs would cost the whole `connect_timeout`."""
        host, port = kwargs.get("host"), kwargs.get("port") or 5432
        if host and "," not in host and not answers(host, int(port)):
            raise psycopg.OperationalError(f"PostgreSQL on {host}, port {port}, does not answer.")
        connection = super().connect(conninfo, **kwargs)
        connection.patience = patience
        return connection

    def wait(self, gen: PQGen[Any], *args: Any, **kwargs: Any) -> Any:
        return super().wait(self._watched(gen), *args, **kwargs)

    def _watched(self, gen: PQGen[Any]) -> Generator[Any, Any, Any]:
        """The same generator. psycopg resumes it with nothing several times a second while it waits."""
        heard = time.monotonic()
        try:
            waits_for = next(gen)
            while True:
                ready = yield waits_for
                if ready:
                    heard = time.monotonic()
                elif time.monotonic() - heard > self.patience:
                    self._knock()
                    heard = time.monotonic()
                waits_for = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _knock(self) -> None:
        if not answers(self.pgconn.host.decode(), int(self.pgconn.port)):
            self.pgconn.finish()
            raise psycopg.OperationalError("PostgreSQL does not answer any more.")


def answers(host: str, port: int) -> bool:
    """Whether a PostgreSQL server there says a word to a newcomer."""
    try:
        with _connected(host, port) as knocking:
            knocking.sendall(SSL_REQUEST)
            return bool(knocking.recv(1))
    except OSError:
        return False


def _connected(host: str, port: int) -> socket.socket:
    if not host.startswith("/"):
        return socket.create_connection((host, port), KNOCK_S)
    knocking = socket.socket(socket.AF_UNIX)
    knocking.settimeout(KNOCK_S)
    knocking.connect(f"{host}/.s.PGSQL.{port}")
    return knocking
