"""Files of the embedded engine that a crash or a person damaged: kept aside, never in the way."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval.index.base import (
    CollectionSpec,
    DamagedCollectionError,
    IndexUnavailableError,
    UnknownCollectionError,
)
from retrieval.index.edge import EdgeIndex
from retrieval.index.shared import SharedIndex
from tests.support.index_points import DIMENSIONS, identity, point


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    index = EdgeIndex(tmp_path)
    index.create("chunks", CollectionSpec(DIMENSIONS))
    index.switch("live", "chunks")
    index.upsert("chunks", [point(number) for number in range(50)])
    index.close()
    return tmp_path


def one(folder: Path, pattern: str) -> Path:
    return next(iter(sorted((folder / "collections" / "chunks").glob(pattern))))


def cut(folder: Path, pattern: str) -> None:
    path = one(folder, pattern)
    os.truncate(path, path.stat().st_size // 2)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no files": lambda f: (
        [shutil.rmtree(p) for p in (f / "collections/chunks").iterdir() if p.is_dir()]
        and one(f, "edge_config.json").unlink()
    ),
    "a cut description": lambda f: cut(f, "edge_config.json"),
    "a cut segment": lambda f: cut(f, "segments/*/segment.json"),
    "no segment file": lambda f: one(f, "segments/*/segment.json").unlink(),
    "a cut store": lambda f: cut(f, "segments/*/payload_storage/bitmask.dat"),
    "an empty store": lambda f: os.truncate(one(f, "segments/*/payload_storage/tracker.dat"), 0),
    "cut flags": lambda f: cut(f, "segments/*/payload_index/*/has_values/status.dat"),
    "no codes": lambda f: one(f, "segments/*/vector_storage-dense/quantized.meta.json").unlink(),
    "a file in its place": lambda f: (
        shutil.rmtree(f / "collections/chunks") or (f / "collections/chunks").write_text("?")
    ),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_collection_should_be_kept_aside_and_be_unknown(
    folder: Path, damage: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    damage(folder)
    with caplog.at_level(logging.ERROR):
        index = SharedIndex(folder)
        with pytest.raises(UnknownCollectionError):
            index.vectors("chunks", [identity(1)])
    (kept,) = (folder / "damaged").iterdir()
    assert kept.name.startswith("chunks-")
    assert str(kept) in caplog.text
    assert index.collections() == []
    index.create("chunks", CollectionSpec(DIMENSIONS))
    index.upsert("chunks", [point(1)])
    assert index.count("chunks") == 1
    index.close()


@pytest.mark.parametrize("text", ["", '{"live": "chu', "[1, 2]", '{"live": 7}', "\udcff"])
def test_damaged_aliases_should_be_kept_aside(folder: Path, text: str) -> None:
    (folder / "aliases.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    index = SharedIndex(folder)
    assert index.count("chunks") == 50
    with pytest.raises(UnknownCollectionError):
        index.count("live")
    index.switch("live", "chunks")
    assert index.count("live") == 50
    (kept,) = (folder / "damaged").iterdir()
    assert kept.name.startswith("aliases.json-")
    index.close()


def test_a_missing_folder_of_collections_should_be_made(folder: Path) -> None:
    shutil.rmtree(folder / "collections")
    index = SharedIndex(folder)
    assert index.collections() == []
    with pytest.raises(UnknownCollectionError):
        index.count("live")
    index.close()


def test_vectors_that_cannot_be_read_should_be_told_from_an_index_that_is_away(folder: Path) -> None:
    os.truncate(one(folder, "segments/*/vector_storage-dense/vectors/chunk_0.mmap"), 0)
    index = EdgeIndex(folder)
    with pytest.raises(DamagedCollectionError):
        index.vectors("chunks", [identity(number) for number in range(50)])
    index.close()


def test_files_that_may_not_be_opened_should_stay_where_they_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("retrieval.index.edge._open", refuse)
    index = EdgeIndex(folder)
    with pytest.raises(IndexUnavailableError, match="Too many open files"):
        index.count("chunks")
    assert not (folder / "damaged").exists()
    assert index.collections() == ["chunks"]
    index.close()
