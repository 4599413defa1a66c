"""Another process of the same data folder, for the tests to start and kill.

    python -m tests.support.index_process FOLDER              takes the index, and holds it
    python -m tests.support.index_process FOLDER COLLECTION   also writes points until it is killed

A server's address may stand for the folder. Prints "ready" when it has the index, then the number of points
that it knows to be written.
"""

from __future__ import annotations

import signal
import sys
import threading
from itertools import count
from pathlib import Path

from retrieval.index import IndexSettings, open_index
from tests.support.index_points import point


def main() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background inherit it as ignored
    folder, *collections = sys.argv[1:]
    url = folder if "://" in folder else ""
    index = open_index(IndexSettings(Path(folder), url, "key"))
    index.collections()
    say("ready")
    for collection in collections:
        for batch in count():
            index.upsert(collection, [point(number) for number in range(batch * 10, batch * 10 + 10)])
            say(str(batch * 10 + 10))
    threading.Event().wait()


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
