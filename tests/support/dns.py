"""A DNS server as Docker's: a name to the addresses of the containers that run, or to none."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

HEADER = struct.Struct("!6H")
RESPONSE, NO_SUCH_NAME = 0x8180, 0x8183
TYPE_A, CLASS_IN, SECONDS = 1, 1, 600  # as Docker's answers, which nginx must not keep that long


@dataclass
class Names:
    port: int
    addresses: dict[str, list[str]] = field(default_factory=dict)

    def answer(self, asked: bytes) -> bytes:
        number = HEADER.unpack_from(asked)[0]
        end = asked.index(b"\0", HEADER.size) + 5
        question = asked[HEADER.size : end]
        found = self.addresses.get(_name(question), [])
        flags = RESPONSE if found else NO_SUCH_NAME
        record = struct.pack("!HHHIH", 0xC000 + HEADER.size, TYPE_A, CLASS_IN, SECONDS, 4)
        records = b"".join(record + socket.inet_aton(address) for address in found)
        return HEADER.pack(number, flags, 1, len(found), 0, 0) + question + records


def _name(question: bytes) -> str:
    labels, rest = [], question
    while length := rest[0]:
        labels.append(rest[1 : length + 1].decode())
        rest = rest[length + 1 :]
    return ".".join(labels)


@contextmanager
def name_server() -> Iterator[Names]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        names = Names(listener.getsockname()[1])

        def serve() -> None:
            while (received := listener.recvfrom(512))[0]:
                listener.sendto(names.answer(received[0]), received[1])

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield names
        finally:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"", ("127.0.0.1", names.port))
            thread.join()
