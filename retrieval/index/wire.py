"""The index contract over a Unix socket, between processes of one user that share a data folder."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import socket
import tempfile
import threading
from collections import deque
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any

from retrieval.index.base import Index, IndexUnavailableError, UnknownCollectionError

_SOCKET = "index.sock"
_ADDRESS = "index.address"  # where the socket is, and the key to it
_LONGEST_PATH = 100  # of a Unix socket; the limit is 104 bytes on macOS and 108 on Linux
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 30.0
_METHODS = frozenset(name for name in vars(Index) if not name.startswith("_")) - {"close"}

log = logging.getLogger(__name__)


class OwnerLostError(Exception):
    """The process that serves the index cannot be reached, or went away before it answered."""


class Owner:
    """Answers other processes from `index`, one thread a connection. Made by the holder of the lock alone."""

    def __init__(self, folder: Path, index: Index) -> None:
        self._index = index
        self._key = secrets.token_bytes(32)
        self._accepted: set[socket.socket] = set()
        path = self._path = _socket_path(folder)
        path.unlink(missing_ok=True)  # of an owner that was killed
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        path.chmod(0o600)
        self._listener.listen(128)
        _write_private(folder / _ADDRESS, json.dumps({"socket": str(path), "key": self._key.hex()}))
        threading.Thread(target=self._accept, name="index-owner", daemon=True).start()

    def call(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return getattr(self._index, method)(*args, **kwargs)

    def close(self) -> None:
        """Hang up on every client, so that they look for the next owner, then close the index."""
        for accepted in [self._listener, *self._accepted]:
            with contextlib.suppress(OSError):  # it may have hung up itself
                accepted.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits on it
        self._listener.close()
        self._path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # not empty, unless it was made for the socket alone
            self._path.parent.rmdir()
        self._index.close()

    def abandon(self) -> None:
        """Let go of the parent's sockets after a fork, lest its clients wait for this process."""
        for inherited in [self._listener, *self._accepted]:
            inherited.close()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[accepted], name="index-client", daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        self._accepted.add(accepted)
        with (
            contextlib.suppress(EOFError, OSError, AuthenticationError),
            accepted,
            Connection(os.dup(accepted.fileno())) as connection,
        ):
            deliver_challenge(connection, self._key)
            answer_challenge(connection, self._key)
            while True:
                connection.send(self._answer(*connection.recv()))
        self._accepted.discard(accepted)

    def _answer(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[bool, Any]:
        try:
            if method not in _METHODS:
                raise ValueError(f"no such call: {method}")
            value = self.call(method, args, kwargs)
            return True, list(value) if method == "ids" else value
        except (IndexUnavailableError, UnknownCollectionError, ValueError, TypeError) as error:
            return False, error
        except Exception as error:
            log.exception("index call %s failed", method)
            return False, IndexUnavailableError(repr(error))


class Client:
    """Calls the owner. Threads may share one: each call in flight has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._idle: deque[Connection] = deque()

    def call(self, method: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Raises OwnerLostError when the owner went away, and whatever the call raised over there."""
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            connection.send((method, args, kwargs))
            if not connection.poll(_ANSWER_SECONDS):
                raise IndexUnavailableError(f"the index did not answer in {_ANSWER_SECONDS:.0f} s")
            succeeded, value = connection.recv()
        except (EOFError, OSError) as error:
            connection.close()
            raise OwnerLostError(str(error)) from error
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        if succeeded:
            return value
        raise value

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

    abandon = close

    def _connect(self) -> Connection:
        try:
            address = json.loads((self._folder / _ADDRESS).read_text())
            with socket.socket(socket.AF_UNIX) as connecting:
                connecting.settimeout(_CONNECT_SECONDS)
                connecting.connect(address["socket"])
                connecting.settimeout(None)
                connection = Connection(connecting.detach())
        except (OSError, ValueError) as error:
            raise OwnerLostError(str(error)) from error
        try:
            if not connection.poll(_CONNECT_SECONDS):
                raise EOFError("no answer")
            key = bytes.fromhex(address["key"])
            answer_challenge(connection, key)
            deliver_challenge(connection, key)
        except (EOFError, OSError, AuthenticationError) as error:
            connection.close()
            raise OwnerLostError(str(error)) from error
        return connection


def _socket_path(folder: Path) -> Path:
    """In the folder where the path is short enough, else in a private one among the temporary files."""
    path = folder.absolute() / _SOCKET
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        return path
    return Path(tempfile.mkdtemp(prefix="quarry-")) / _SOCKET


def _write_private(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w") as file:
        file.write(text)
    temporary.replace(path)
