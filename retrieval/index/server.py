"""The server engine: a Qdrant server or cluster, by qdrant-client.

Import this late: qdrant-client takes more than a second.
"""

from __future__ import annotations

import math
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from qdrant_client import QdrantClient, models

from retrieval.index.base import (
    DATE_FIELD,
    KEYWORD_FIELDS,
    NARROW,
    CollectionSpec,
    Precision,
)
from retrieval.index.payload import CANDIDATE_FIELDS, candidates, dense_vectors, matches_nothing
from retrieval.index.server_values import (
    code_dimensions,
    collection_layout,
    dense_request,
    our_errors,
    server_filter,
    server_point,
    server_sparse,
)
from retrieval.types import Candidate, Filter, FloatArray, Point, SparseVector

_WRITE_BATCH = 500  # about 5 MB of JSON at 512 dimensions, far below the server's limit of 32
_WRITE_SECONDS = 60
_PAGE = 1000
_LAYOUT_SECONDS = 5.0  # after which another process may have pointed an alias elsewhere

T = TypeVar("T")
_Ask = Callable[[str, Callable[[QdrantClient], models.CollectionInfo]], models.CollectionInfo]


class ServerIndex:
    """The index contract over a server at `url`. Threads may share one; it connects at the first call.

    `timeout` is in seconds and bounds reads: a server that is down or slower raises IndexUnavailableError.
    Writes wait until the points are searchable, for up to a minute a batch.
    """

    def __init__(
        self,
        url: str,
        api_key: str = "",
        *,
        shard_number: int = 1,
        replication_factor: int = 1,
        write_consistency_factor: int = 1,
        prefer_grpc: bool = False,
        timeout: int = 2,
    ) -> None:
        self._url = url
        self._api_key = api_key
        self._shard_number = shard_number
        self._replication_factor = replication_factor
        self._write_consistency_factor = write_consistency_factor
        self._prefer_grpc = prefer_grpc
        self._timeout = timeout
        self._clients: dict[int, QdrantClient] = {}  # by timeout
        self._guard = threading.Lock()
        self._layouts: dict[str, tuple[float, int | None]] = {}  # when read, and the dimensions of the codes

    def create(self, collection: str, spec: CollectionSpec) -> None:
        if not self._read(collection, lambda client: client.collection_exists(collection)):
            self._create(collection, spec)
        # Asked for even where the collection exists: the process that made it may have died in between.
        for field in KEYWORD_FIELDS:
            self._index_field(collection, field, models.PayloadSchemaType.KEYWORD)
        self._index_field(collection, DATE_FIELD, models.PayloadSchemaType.DATETIME)

    def drop(self, collection: str) -> None:
        self._write(collection, lambda client: client.delete_collection(collection))

    def collections(self) -> list[str]:
        answer = self._read("", lambda client: client.get_collections())
        return sorted(description.name for description in answer.collections)

    def switch(self, alias: str, collection: str) -> None:
        create = models.CreateAliasOperation(
            create_alias=models.CreateAlias(alias_name=alias, collection_name=collection)
        )
        delete = models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=alias))
        aliases = self._read("", lambda client: client.get_aliases()).aliases
        exists = any(description.alias_name == alias for description in aliases)
        actions: list[models.AliasOperations] = [delete, create] if exists else [create]
        self._write(collection, lambda client: client.update_collection_aliases(actions))

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        codes = self._code_dimensions(collection, self._write) if points else None
        for start in range(0, len(points), _WRITE_BATCH):
            batch = [server_point(point, codes) for point in points[start : start + _WRITE_BATCH]]
            self._upsert(collection, batch)

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        for start in range(0, len(ids), _WRITE_BATCH):
            selector = models.PointIdsList(points=[*ids[start : start + _WRITE_BATCH]])
            self._delete(collection, selector)

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
        request = partial(dense_request, vector, limit, filter, precision, oversampling)
        codes = None if precision == "exact" else self._known_code_dimensions(collection)
        try:
            return self._search(collection, request(codes))
        except ValueError:
            if codes is None or codes == (renewed := self._code_dimensions(collection, self._read)):
                raise
            return self._search(collection, request(renewed))  # the alias was pointed elsewhere

    def search_sparse(
        self, collection: str, vector: SparseVector, *, limit: int, filter: Filter | None = None
    ) -> list[Candidate]:
        if matches_nothing(filter) or not len(vector.indices):
            return []
        where = server_filter(filter)
        query = {"query": server_sparse(vector), "using": "lexical", "limit": limit, "query_filter": where}
        return self._search(collection, query)

    def vectors(self, collection: str, ids: Sequence[str]) -> dict[str, FloatArray]:
        records = self._read(
            collection,
            lambda client: client.retrieve(collection, [*ids], with_payload=False, with_vectors=["dense"]),
        )
        return dense_vectors(records)

    def facet(
        self, collection: str, field: str, *, filter: Filter | None = None, limit: int = 1000
    ) -> dict[str, int]:
        if matches_nothing(filter):
            return {}
        where = server_filter(filter)
        answer = self._read(
            collection,
            lambda client: client.facet(collection, field, facet_filter=where, limit=limit, exact=True),
        )
        return {str(hit.value): hit.count for hit in answer.hits if hit.count}

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
        with self._guard:
            while self._clients:
                self._clients.popitem()[1].close()

    def _create(self, collection: str, spec: CollectionSpec) -> None:
        try:
            self._write(
                collection,
                lambda client: client.create_collection(
                    collection,
                    **collection_layout(spec),
                    shard_number=self._shard_number,
                    replication_factor=self._replication_factor,
                    write_consistency_factor=self._write_consistency_factor,
                ),
            )
        except ValueError:
            if not self._read(collection, lambda client: client.collection_exists(collection)):
                raise  # and else another process made it meanwhile

    def _index_field(self, collection: str, field: str, schema: models.PayloadSchemaType) -> None:
        self._write(collection, lambda client: client.create_payload_index(collection, field, schema))

    def _upsert(self, collection: str, batch: list[models.PointStruct]) -> None:
        self._write(collection, lambda client: client.upsert(collection, batch, wait=True))

    def _delete(self, collection: str, selector: models.PointIdsList) -> None:
        self._write(collection, lambda client: client.delete(collection, selector, wait=True))

    def _search(self, collection: str, request: dict[str, Any]) -> list[Candidate]:
        answer = self._read(
            collection,
            lambda client: client.query_points(collection, with_payload=CANDIDATE_FIELDS, **request),
        )
        return candidates(answer.points)

    def _known_code_dimensions(self, collection: str) -> int | None:
        """Asked of the server now and then: a collection keeps its layout, but an alias may move."""
        read_at, dimensions = self._layouts.get(collection, (-math.inf, None))
        if time.monotonic() - read_at < _LAYOUT_SECONDS:
            return dimensions
        return self._code_dimensions(collection, self._read)

    def _code_dimensions(self, collection: str, ask: _Ask) -> int | None:
        info = ask(collection, lambda client: client.get_collection(collection))
        self._layouts[collection] = time.monotonic(), code_dimensions(info)
        return self._layouts[collection][1]

    def _count(self, collection: str, filter: Filter | None, *, exact: bool) -> int:
        where = server_filter(filter)
        return self._read(collection, lambda client: client.count(collection, where, exact=exact)).count

    def _scroll(
        self, collection: str, filter: Filter | None, offset: models.ExtendedPointId | None
    ) -> tuple[list[models.Record], models.ExtendedPointId | None]:
        where = server_filter(filter)
        return self._read(
            collection,
            lambda client: client.scroll(
                collection, where, limit=_PAGE, offset=offset, with_payload=False, with_vectors=False
            ),
        )

    def _read(self, collection: str, action: Callable[[QdrantClient], T]) -> T:
        with our_errors(collection):
            return action(self._client(self._timeout))

    def _write(self, collection: str, action: Callable[[QdrantClient], T]) -> T:
        with our_errors(collection):
            return action(self._client(_WRITE_SECONDS))

    def _client(self, timeout: int) -> QdrantClient:
        with self._guard, warnings.catch_warnings():
            # Behind a proxy, or in a private network, plain HTTP with a key is the user's choice.
            warnings.filterwarnings("ignore", message="Api key is used with an insecure connection")
            if timeout not in self._clients:
                self._clients[timeout] = QdrantClient(
                    url=self._url,
                    api_key=self._api_key or None,
                    prefer_grpc=self._prefer_grpc,
                    timeout=timeout,
                    check_compatibility=False,
                )
            return self._clients[timeout]
