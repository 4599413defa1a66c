"""One data folder, several processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.index import IndexSettings, open_index, shared, wire
from retrieval.index.base import CollectionSpec, IndexUnavailableError
from retrieval.index.edge import EdgeIndex
from retrieval.index.shared import SharedIndex
from tests.retrieval.index.conftest import first_line, process
from tests.support.index_points import DIMENSIONS, identity, point, vector

OTHER = "tests.support.index_process"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def index(folder: Path) -> Iterator[SharedIndex]:
    with contextlib.closing(SharedIndex(folder)) as index:
        yield index


def test_open_index_should_touch_nothing_before_the_first_call(folder: Path) -> None:
    with contextlib.closing(open_index(IndexSettings(folder))) as index:
        assert not folder.exists()
        assert index.collections() == []
        assert folder.exists()


def test_second_process_should_see_what_the_owner_holds(folder: Path, index: SharedIndex) -> None:
    with process(OTHER, folder) as owner:
        assert first_line(owner) == "ready"
        index.create("docs", CollectionSpec(DIMENSIONS))
        index.upsert("docs", [point(1)])
        with contextlib.closing(SharedIndex(folder)) as third:
            assert third.count("docs") == 1
            assert [hit.id for hit in third.search_dense("docs", vector(1), limit=1)] == [identity(1)]


def test_client_should_take_over_when_the_owner_is_killed(folder: Path, index: SharedIndex) -> None:
    failures: list[BaseException] = []
    with process(OTHER, folder) as owner:
        assert first_line(owner) == "ready"
        index.create("docs", CollectionSpec(DIMENSIONS))

        def write(first: int) -> None:
            try:
                for number in range(first, first + 40):
                    index.upsert("docs", [point(number)])
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=write, args=[first]) for first in (0, 100, 200)]
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        owner.kill()
        for thread in threads:
            thread.join()
    assert failures == []
    assert index.count("docs") == 120


def test_acknowledged_points_should_survive_a_killed_owner(folder: Path, index: SharedIndex) -> None:
    index.create("docs", CollectionSpec(DIMENSIONS))
    index.close()
    with process(OTHER, folder, "docs") as writer:
        assert first_line(writer) == "ready"
        while int(acknowledged := first_line(writer)) < 300:
            pass
        writer.kill()
        assert writer.stdout
        acknowledged = (writer.stdout.read().split() or [acknowledged])[-1]
    with contextlib.closing(EdgeIndex(folder)) as survivor:
        found = {*survivor.ids("docs")}
    assert {identity(number) for number in range(int(acknowledged))} <= found


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_owner_should_leave_the_index_usable(folder: Path, sent: signal.Signals) -> None:
    for number in range(2):
        with process(OTHER, folder) as owner:
            assert first_line(owner) == "ready"
            owner.send_signal(sent)
            owner.wait(10)
        with contextlib.closing(SharedIndex(folder)) as index:
            index.create("docs", CollectionSpec(DIMENSIONS))
            index.upsert("docs", [point(number)])
            assert index.count("docs") == number + 1


def test_closed_owner_should_hand_over_to_its_client(folder: Path, index: SharedIndex) -> None:
    index.create("docs", CollectionSpec(DIMENSIONS))
    with contextlib.closing(SharedIndex(folder)) as client:
        assert client.count("docs") == 0
        index.close()
        client.upsert("docs", [point(1)])
        assert client.count("docs") == 1


def test_errors_of_the_owner_should_reach_the_client(folder: Path, index: SharedIndex) -> None:
    index.create("docs", CollectionSpec(DIMENSIONS))
    with contextlib.closing(SharedIndex(folder)) as client:
        with pytest.raises(ValueError, match="name"):
            client.create("../outside", CollectionSpec(DIMENSIONS))
        assert client.collections() == ["docs"]


def test_many_threads_of_clients_should_be_served(folder: Path, index: SharedIndex) -> None:
    index.create("docs", CollectionSpec(DIMENSIONS))
    index.upsert("docs", [point(number) for number in range(50)])
    wrong: list[object] = []
    with contextlib.closing(SharedIndex(folder)) as one, contextlib.closing(SharedIndex(folder)) as two:

        def ask(client: SharedIndex, number: int) -> None:
            for _ in range(20):
                hits = client.search_dense("docs", vector(number), limit=1, precision="exact")
                if [hit.id for hit in hits] != [identity(number)]:
                    wrong.append(hits)

        threads = [threading.Thread(target=ask, args=[client, n]) for client in (one, two) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_folder_too_deep_for_a_socket_should_be_shared(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-folder-name"] * 6)
    with process(OTHER, deep) as owner, contextlib.closing(SharedIndex(deep)) as index:
        assert first_line(owner) == "ready"
        index.create("docs", CollectionSpec(DIMENSIONS))
        assert not (deep / "index.lock").stat().st_mode & 0o077
        assert index.collections() == ["docs"]


def test_owner_that_never_answers_should_make_the_index_unavailable(
    folder: Path, index: SharedIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "_TAKEOVER_SECONDS", 0.5)
    monkeypatch.setattr(wire, "_CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(wire, "_ANSWER_SECONDS", 0.3)
    with process(OTHER, folder) as owner:
        assert first_line(owner) == "ready"
        assert index.collections() == []
        owner.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, owner.pid, os.WSTOPPED)
        started = time.monotonic()
        for _ in range(2):  # on the connection that it has, then on a new one
            with pytest.raises(IndexUnavailableError):
                index.collections()
        assert time.monotonic() - started < 3


def test_strangers_should_be_turned_away(folder: Path, index: SharedIndex) -> None:
    index.collections()
    file = folder / "index.address"
    assert file.stat().st_mode & 0o777 == 0o600
    assert wire.Client(folder).call("collections", (), {}) == []
    file.write_text(json.dumps(json.loads(file.read_text()) | {"key": "00" * 32}))
    with pytest.raises(wire.OwnerLostError):
        wire.Client(folder).call("collections", (), {})


def test_forked_child_should_start_afresh(folder: Path, index: SharedIndex) -> None:
    index.create("docs", CollectionSpec(DIMENSIONS))
    index.upsert("docs", [point(1)])
    child = os.fork()
    if not child:
        os._exit(0 if index.count("docs") == 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert index.count("docs") == 1
