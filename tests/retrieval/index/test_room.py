"""The embedded engine leaves a nearly full disk alone."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path

import pytest

from retrieval.disk import ensure_room
from retrieval.index.base import CollectionSpec, IndexUnavailableError
from retrieval.index.edge import EdgeIndex
from tests.support.index_points import DIMENSIONS, identity, point, vector

NEVER_FREE = 1 << 60


def test_room_should_be_asked_of_folders_that_do_not_exist_yet(tmp_path: Path) -> None:
    ensure_room(tmp_path / "files" / "more", 1)
    with pytest.raises(OSError) as error:
        ensure_room(tmp_path / "files" / "more", NEVER_FREE)
    assert error.value.errno == errno.ENOSPC


def test_nothing_should_be_made_or_opened_without_room(tmp_path: Path) -> None:
    with contextlib.closing(EdgeIndex(tmp_path)) as index:
        index.create("chunks", CollectionSpec(DIMENSIONS))
    with contextlib.closing(EdgeIndex(tmp_path, NEVER_FREE)) as index:
        with pytest.raises(IndexUnavailableError, match="disk is nearly full"):
            index.create("others", CollectionSpec(DIMENSIONS))
        assert index.collections() == ["chunks"]
        with pytest.raises(IndexUnavailableError, match="disk is nearly full"):
            index.upsert("chunks", [point(1)])


def test_what_is_open_should_be_searched_while_nothing_is_written(tmp_path: Path) -> None:
    with contextlib.closing(EdgeIndex(tmp_path)) as index:
        index.create("chunks", CollectionSpec(DIMENSIONS))
        index.upsert("chunks", [point(1)])
        index._min_free = NEVER_FREE  # the disk fills up
        with pytest.raises(IndexUnavailableError, match="disk is nearly full"):
            index.upsert("chunks", [point(2)])
        with pytest.raises(IndexUnavailableError, match="disk is nearly full"):
            index.delete("chunks", [identity(1)])
        found = index.search_dense("chunks", vector(1), limit=5)
        assert [candidate.id for candidate in found] == [identity(1)]
