"""Deleted points give their space back when a shard is opened."""

from __future__ import annotations

import contextlib
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from retrieval.index import vacuum
from retrieval.index.base import CollectionSpec
from retrieval.index.edge import EdgeIndex
from tests.support.index_points import DIMENSIONS, identity, point, vector


@pytest.fixture
def emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose collection keeps 500 of 3,000 points."""
    monkeypatch.setattr(vacuum, "_WORTH_POINTS", 1000)
    with contextlib.closing(EdgeIndex(tmp_path)) as index:
        index.create("docs", CollectionSpec(DIMENSIONS))
        index.upsert("docs", [point(number) for number in range(3000)])
        index.delete("docs", [identity(number) for number in range(500, 3000)])
    return tmp_path


def slots(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*id_tracker.versions")) // 8


def test_open_should_give_back_the_space_of_deleted_points(emptied: Path) -> None:
    assert slots(emptied) == 3000
    with contextlib.closing(EdgeIndex(emptied)) as index:
        assert {*index.ids("docs")} == {identity(number) for number in range(500)}
        assert slots(emptied) == 500
        assert index.search_dense("docs", vector(7), limit=1)[0].id == identity(7)
        codes = index.search_dense("docs", vector(7), limit=1, precision="binary")
        assert codes[0].id == identity(7)  # the codes survive: no other signs agree better
        index.upsert("docs", [point(4000)])
        assert index.count("docs") == 501


def test_vacuum_should_wait_until_it_is_worth_it(emptied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vacuum, "_WORTH_POINTS", 10_000)
    with contextlib.closing(EdgeIndex(emptied)) as index:
        assert index.count("docs") == 500
    assert slots(emptied) == 3000


def test_vacuum_cut_short_should_lose_nothing(
    emptied: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(vacuum, "_TIMEOUT_SECONDS", 0.01)
    with caplog.at_level(logging.WARNING), contextlib.closing(EdgeIndex(emptied)) as index:
        assert index.count("docs") == 500
    assert "did not finish" in caplog.text


def test_vacuum_killed_at_any_moment_should_lose_nothing(emptied: Path) -> None:
    shard = emptied / "collections" / "docs"
    for delay in (0.2, 0.25, 0.3, 0.35, 0.4):
        command = [sys.executable, vacuum.__file__, str(shard)]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, timeout=delay, check=False)
    with contextlib.closing(EdgeIndex(emptied)) as index:
        assert {*index.ids("docs")} == {identity(number) for number in range(500)}
