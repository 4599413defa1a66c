"""The embedded engine: Qdrant Edge, in this process."""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import qdrant_edge as qdrant

from retrieval.disk import ensure_room
from retrieval.index import damage, vacuum
from retrieval.index.base import (
    DATE_FIELD,
    KEYWORD_FIELDS,
    NARROW,
    CollectionSpec,
    DamagedCollectionError,
    IndexUnavailableError,
    Precision,
    UnknownCollectionError,
)
from retrieval.index.edge_values import (
    dense_request,
    edge_config,
    edge_filter,
    edge_point,
    edge_request,
    edge_sparse,
)
from retrieval.index.payload import candidates, dense_vectors, matches_nothing
from retrieval.types import Candidate, Filter, FloatArray, Point, SparseVector

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_WRITE_BATCH = 100  # the engine holds the interpreter lock: 100 points stall other threads about 5 ms
_FLUSH_SECONDS = 5.0
_PAGE = 1000
_OPEN_BYTES = 64 << 20  # opening a shard writes too: a new segment of its log has 32 MB

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Shard:
    """An open shard, and of how many dimensions its codes are where those are not all."""

    engine: qdrant.EdgeShard
    code_dimensions: int | None


class EdgeIndex:
    """The index contract over shards in `folder`, one a collection, loaded at first use.

    One process may open a folder at a time (`shared.py` sees to that), and must not fork afterwards. Threads
    may share an instance. A write is in the write-ahead log when it returns, so it survives the death of the
    process; files are synced to the disk every few seconds of writing, and by `close()`. Nothing is opened or
    written while fewer than `min_free` bytes are free: a full disk ends a process that maps its files.

    Files that cannot be read are moved to `damaged/`; a collection among them is unknown from then on.
    """

    def __init__(self, folder: Path, min_free: int = 0) -> None:
        self._min_free = min_free
        self._folder = folder
        self._collections = folder / "collections"
        self._aliases_file = folder / "aliases.json"
        self._lock = threading.RLock()
        self._shards: dict[str, _Shard] = {}
        self._flushed: dict[str, float] = {}
        self._closed = False
        if self._collections.exists() and not self._collections.is_dir():
            damage.set_aside(self._collections, folder, "it is no folder")
        self._collections.mkdir(parents=True, exist_ok=True)
        for leftover in self._collections.glob(".*"):
            shutil.rmtree(leftover) if leftover.is_dir() else leftover.unlink()
        self._aliases = self._read_aliases()

    def create(self, collection: str, spec: CollectionSpec) -> None:
        with self._lock:
            if collection in self._aliases or self._path(collection).exists():
                return
            self._ensure_room(self._min_free)
            unfinished = self._collections / f".new-{collection}"
            unfinished.mkdir()
            shard = qdrant.EdgeShard.create(str(unfinished), edge_config(spec))
            for field in KEYWORD_FIELDS:
                shard.update(
                    qdrant.UpdateOperation.create_field_index(field, qdrant.PayloadSchemaType.Keyword)
                )
            shard.update(
                qdrant.UpdateOperation.create_field_index(DATE_FIELD, qdrant.PayloadSchemaType.Datetime)
            )
            shard.close()
            unfinished.rename(self._path(collection))

    def drop(self, collection: str) -> None:
        with self._lock:
            shard = self._shards.pop(collection, None)
            if not self._path(collection).exists():  # nor is its shard of any use
                return
            remaining = {alias: name for alias, name in self._aliases.items() if name != collection}
            if remaining != self._aliases:
                self._write_aliases(remaining)
            removed = self._path(collection).rename(self._collections / f".old-{collection}")
            if shard:
                shard.engine.close()
            shutil.rmtree(removed)

    def collections(self) -> list[str]:
        return sorted(path.name for path in self._collections.iterdir() if not path.name.startswith("."))

    def switch(self, alias: str, collection: str) -> None:
        with self._lock:
            if not self._path(collection).exists():
                raise UnknownCollectionError(collection)
            if self._path(alias).exists():
                raise ValueError(f"{alias!r} is a collection, so it cannot be an alias")
            self._write_aliases({**self._aliases, alias: collection})

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        for start in range(0, len(points), _WRITE_BATCH):
            self._write(collection, partial(_upserting, points[start : start + _WRITE_BATCH]))

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _WRITE_BATCH):
            self._write(collection, partial(_deleting, ids[start : start + _WRITE_BATCH]))

    def search_dense(
        self,
        collection: str,
        vector: FloatArray,
        *,
        limit: int,
        filter: Filter | None = None,
        precision: Precision = "rescored",
        oversampling: float = 3.0,
    ) -> list[Candidate]:
        if matches_nothing(filter):
            return []
        if precision == "rescored" and filter and self._count(collection, filter, exact=False) < NARROW:
            precision = "exact"
        return self._search(
            collection,
            lambda shard: dense_request(
                vector, limit, filter, precision, oversampling, shard.code_dimensions
            ),
        )

    def search_sparse(
        self, collection: str, vector: SparseVector, *, limit: int, filter: Filter | None = None
    ) -> list[Candidate]:
        if matches_nothing(filter) or not len(vector.indices):
            return []
        query = qdrant.Query.Nearest(edge_sparse(vector), using="lexical")
        request = edge_request(limit, query, edge_filter(filter))
        return self._search(collection, lambda _: request)

    def vectors(self, collection: str, ids: Sequence[str]) -> dict[str, FloatArray]:
        records = self._run(
            collection,
            lambda shard: shard.engine.retrieve([*ids], with_payload=False, with_vector=["dense"]),
        )
        return dense_vectors(records)

    def facet(
        self, collection: str, field: str, *, filter: Filter | None = None, limit: int = 1000
    ) -> dict[str, int]:
        if matches_nothing(filter):
            return {}
        request = qdrant.FacetRequest(field, limit=limit, exact=True, filter=edge_filter(filter))
        hits = self._run(collection, lambda shard: shard.engine.facet(request)).hits
        return {str(hit.value): hit.count for hit in hits if hit.count}

    def count(self, collection: str, filter: Filter | None = None) -> int:
        return 0 if matches_nothing(filter) else self._count(collection, filter, exact=True)

    def ids(self, collection: str, filter: Filter | None = None) -> Iterator[str]:
        offset = None
        while not matches_nothing(filter):
            records, offset = self._scroll(collection, filter, offset)
            yield from (str(record.id) for record in records)
            if offset is None:
                return

    def close(self) -> None:
        with self._lock:
            self._closed = True
            while self._shards:
                _, shard = self._shards.popitem()
                shard.engine.flush()
                shard.engine.close()

    def _search(self, collection: str, request: Callable[[_Shard], qdrant.QueryRequest]) -> list[Candidate]:
        return candidates(self._run(collection, lambda shard: shard.engine.query(request(shard))))

    def _count(self, collection: str, filter: Filter | None, *, exact: bool) -> int:
        request = qdrant.CountRequest(exact=exact, filter=edge_filter(filter))
        return self._run(collection, lambda shard: shard.engine.count(request))

    def _scroll(
        self, collection: str, filter: Filter | None, offset: qdrant.PointId | None
    ) -> tuple[list[qdrant.Record], qdrant.PointId | None]:
        request = qdrant.ScrollRequest(
            offset=offset, limit=_PAGE, filter=edge_filter(filter), with_payload=False, with_vector=False
        )
        return self._run(collection, lambda shard: shard.engine.scroll(request))

    def _write(self, collection: str, operation: Callable[[_Shard], qdrant.UpdateOperation]) -> None:
        def write(shard: _Shard) -> None:
            shard.engine.update(operation(shard))
            now = time.monotonic()
            if now - self._flushed.setdefault(collection, now) > _FLUSH_SECONDS:
                shard.engine.flush()
                self._flushed[collection] = now

        self._ensure_room(self._min_free)
        with self._lock:
            self._run(collection, write)

    def _ensure_room(self, needed: int) -> None:
        try:
            ensure_room(self._collections, needed)
        except OSError as error:
            raise IndexUnavailableError(f"the disk is nearly full: {error}") from error

    def _run(self, collection: str, action: Callable[[_Shard], T]) -> T:
        while True:
            name = self._aliases.get(collection, collection)
            shard = self._shards.get(name) or self._load(name)
            try:
                return action(shard)
            except (TypeError, ValueError, KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # the binding raises nothing narrower
                if self._shards.get(name) is not shard:
                    continue  # dropped meanwhile; the alias may point elsewhere now
                raise _our_error(name, error) from error

    def _load(self, name: str) -> _Shard:
        with self._lock:
            if self._closed:
                raise IndexUnavailableError("the index is closed")
            if name in self._shards:
                return self._shards[name]
            path = self._path(name)
            if not path.exists():
                raise UnknownCollectionError(name)
            self._ensure_room(min(self._min_free, _OPEN_BYTES))
            try:
                self._shards[name] = _open(path)
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # the binding raises nothing narrower
                if not damage.is_of_the_files(error):
                    raise IndexUnavailableError(f"cannot open {path}: {error}") from error
                damage.set_aside(path, self._folder, error)
                raise UnknownCollectionError(name) from error
            return self._shards[name]

    def _path(self, collection: str) -> Path:
        if not _NAME.fullmatch(collection):
            raise ValueError(f"not a collection name: {collection!r}")
        return self._collections / collection

    def _read_aliases(self) -> dict[str, str]:
        try:
            return damage.read_aliases(self._aliases_file)
        except ValueError as error:
            damage.set_aside(self._aliases_file, self._folder, error)
            return {}

    def _write_aliases(self, aliases: dict[str, str]) -> None:
        temporary = self._aliases_file.with_suffix(".new")
        with temporary.open("w") as file:
            json.dump(aliases, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._aliases_file)
        self._aliases = aliases


def _our_error(name: str, error: BaseException) -> Exception:
    if damage.is_unreadable(error):
        return DamagedCollectionError(f"{name}: {error}")
    if "Service" in str(error) or damage.is_panic(error):  # disk full, files gone
        return IndexUnavailableError(str(error))
    return ValueError(str(error))


def _upserting(batch: Sequence[Point], shard: _Shard) -> qdrant.UpdateOperation:
    return qdrant.UpdateOperation.upsert_points([edge_point(point, shard.code_dimensions) for point in batch])


def _deleting(batch: Sequence[str], _: _Shard) -> qdrant.UpdateOperation:
    return qdrant.UpdateOperation.delete_points([*batch])


def _open(path: Path) -> _Shard:
    shard = qdrant.EdgeShard.load(str(path))
    if vacuum.is_worth_it(path, shard.info().points_count):
        shard.close()
        vacuum.run(path)
        shard = qdrant.EdgeShard.load(str(path))
    vectors = json.loads((path / "edge_config.json").read_text())["vectors"]  # the engine does not tell them
    return _Shard(shard, vectors["codes"]["size"] if "codes" in vectors else None)
