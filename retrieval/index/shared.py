"""One data folder, several processes: the first that needs the index holds it and serves it to the others."""

from __future__ import annotations

import atexit
import fcntl
import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from retrieval.index.base import CollectionSpec, Index, IndexUnavailableError, Precision
from retrieval.index.wire import Client, Owner, OwnerLostError
from retrieval.types import Candidate, Filter, FloatArray, Point, SparseVector

_TAKEOVER_SECONDS = 10.0
_RETRY_SECONDS = 0.05
_WRITE_BATCH = 1000  # so that each answer comes soon, however many points there are

P = ParamSpec("P")
T = TypeVar("T")


class SharedIndex:
    """The embedded engine for every process of one user that works in `folder`.

    Nothing is opened before the first call. The process that gets the lock then opens the shards and serves
    them; the others are its clients. When the owner goes away, whoever calls next takes over, and repeats the
    call that was cut off: every write of the contract may be repeated. A forked child starts afresh.
    """

    def __init__(self, folder: Path, min_free: int = 0) -> None:
        self._folder, self._min_free = folder, min_free
        self._guard = threading.Lock()
        self._engine: Owner | Client | None = None
        self._lock_file: int | None = None
        self._closed = False
        _instances.add(self)

    def create(self, collection: str, spec: CollectionSpec) -> None:
        self._call(Index.create, collection, spec)

    def drop(self, collection: str) -> None:
        self._call(Index.drop, collection)

    def collections(self) -> list[str]:
        return self._call(Index.collections)

    def switch(self, alias: str, collection: str) -> None:
        self._call(Index.switch, alias, collection)

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        for start in range(0, len(points), _WRITE_BATCH):
            self._call(Index.upsert, collection, points[start : start + _WRITE_BATCH])

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        self._call(Index.delete, collection, ids)

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
        return self._call(
            Index.search_dense,
            collection,
            vector,
            limit=limit,
            filter=filter,
            precision=precision,
            oversampling=oversampling,
        )

    def search_sparse(
        self, collection: str, vector: SparseVector, *, limit: int, filter: Filter | None = None
    ) -> list[Candidate]:
        return self._call(Index.search_sparse, collection, vector, limit=limit, filter=filter)

    def vectors(self, collection: str, ids: Sequence[str]) -> dict[str, FloatArray]:
        return self._call(Index.vectors, collection, ids)

    def facet(
        self, collection: str, field: str, *, filter: Filter | None = None, limit: int = 1000
    ) -> dict[str, int]:
        return self._call(Index.facet, collection, field, filter=filter, limit=limit)

    def count(self, collection: str, filter: Filter | None = None) -> int:
        return self._call(Index.count, collection, filter)

    def ids(self, collection: str, filter: Filter | None = None) -> Iterator[str]:
        yield from self._call(Index.ids, collection, filter)

    def close(self) -> None:
        """Let go; if this process owned the index, its clients find another owner. Final."""
        with self._guard:
            self._closed = True
            if self._engine:
                self._engine.close()
            self._unlock()
        atexit.unregister(self.close)

    def _call(self, method: Callable[Concatenate[Index, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        deadline = time.monotonic() + _TAKEOVER_SECONDS
        while True:
            engine = self._current()
            try:
                answer: T = engine.call(method.__name__, args, kwargs)
                return answer
            except OwnerLostError as error:
                self._leave(engine)
                if time.monotonic() > deadline:
                    raise IndexUnavailableError(
                        f"no process serves the index in {self._folder}: {error}"
                    ) from error
                time.sleep(_RETRY_SECONDS)

    def _current(self) -> Owner | Client:
        with self._guard:
            if self._closed:
                raise IndexUnavailableError("the index is closed")
            if self._engine is None:
                self._engine = self._own() if self._lock() else Client(self._folder)
                atexit.register(self.close)
            return self._engine

    def _own(self) -> Owner:
        from retrieval.index.edge import EdgeIndex

        try:
            return Owner(self._folder, EdgeIndex(self._folder, self._min_free))
        except BaseException:
            self._unlock()
            raise

    def _leave(self, engine: Owner | Client) -> None:
        with self._guard:
            if self._engine is engine:
                engine.close()
                self._engine = None

    def _lock(self) -> bool:
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "index.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._lock_file = descriptor
        return True

    def _unlock(self) -> None:
        self._engine = None
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def _start_afresh(self) -> None:
        """After a fork, in the child: the parent keeps the lock, the shards and the connections."""
        self._guard = threading.Lock()
        if self._engine:
            self._engine.abandon()
            _parents.append(self._engine)  # the engine's destructor would write to the parent's files
        self._unlock()


_instances: weakref.WeakSet[SharedIndex] = weakref.WeakSet()
_parents: list[Any] = []


def _after_fork() -> None:
    for index in list(_instances):
        index._start_afresh()


os.register_at_fork(after_in_child=_after_fork)
