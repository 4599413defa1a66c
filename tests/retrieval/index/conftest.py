"""Every engine, by the name under which a failing test tells it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from retrieval.index.base import CollectionSpec, Index
from retrieval.index.edge import EdgeIndex
from retrieval.index.server import ServerIndex
from retrieval.index.shared import SharedIndex
from tests.support.index_points import DIMENSIONS
from tests.support.servers import ROOT

REAL_SERVER = os.environ.get("QUARRY_QDRANT_URL", "")


@contextlib.contextmanager
def process(module: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A Python module as a process, killed at the end; its first line of output is `first_line`."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.kill()


def first_line(started: subprocess.Popen[str]) -> str:
    assert started.stdout
    return started.stdout.readline().strip()


@pytest.fixture(scope="session")
def stand_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a stand-in for a Qdrant server."""
    folder = tmp_path_factory.mktemp("qdrant")
    with process("tests.support.qdrant_server", "--folder", folder, "--api-key", "key") as server:
        yield first_line(server)


@pytest.fixture(scope="session")
def owned_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder whose index another process holds."""
    folder = tmp_path_factory.mktemp("owned")
    with process("tests.support.index_process", folder) as owner:
        assert first_line(owner) == "ready"
        yield folder


@pytest.fixture(scope="session", params=["edge", "client", "server", *(["real"] if REAL_SERVER else [])])
def index(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    engine: Index
    if request.param == "edge":
        engine = EdgeIndex(tmp_path_factory.mktemp("edge"))
    elif request.param == "client":
        engine = SharedIndex(request.getfixturevalue("owned_folder"))
    elif request.param == "server":
        engine = ServerIndex(request.getfixturevalue("stand_in"), "key")
    else:
        engine = ServerIndex(REAL_SERVER, os.environ.get("QUARRY_QDRANT_API_KEY", ""))
    with contextlib.closing(engine):
        yield engine


@pytest.fixture
def name() -> str:
    """A name that no other test has used in a shared engine."""
    return f"test-{uuid4().hex}"


@pytest.fixture
def collection(index: Index, name: str) -> Iterator[str]:
    index.create(name, CollectionSpec(DIMENSIONS))
    yield name
    index.drop(name)
