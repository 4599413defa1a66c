"""What the stand-in server does with a request: Qdrant's JSON on Qdrant Edge."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import qdrant_edge as qdrant

SCHEMA_TYPES = {
    "keyword": qdrant.PayloadSchemaType.Keyword,
    "datetime": qdrant.PayloadSchemaType.Datetime,
}
ENCODINGS = {
    None: None,
    "two_bits": qdrant.BinaryQuantizationEncoding.TwoBits,
    "one_and_half_bits": qdrant.BinaryQuantizationEncoding.OneAndHalfBits,
}
QUERY_ENCODINGS = {
    None: None,
    "scalar4bits": qdrant.BinaryQuantizationQueryEncoding.Scalar4Bits,
    "scalar8bits": qdrant.BinaryQuantizationQueryEncoding.Scalar8Bits,
}
TURBO_BITS = {
    "bits1": qdrant.TurboQuantBitSize.Bits1,
    "bits1_5": qdrant.TurboQuantBitSize.Bits1_5,
    "bits2": qdrant.TurboQuantBitSize.Bits2,
    "bits4": qdrant.TurboQuantBitSize.Bits4,
}


class NotFoundError(Exception):
    """No such collection or alias."""


class ConflictError(Exception):
    """The collection exists already."""


class Shards:
    """Collections and aliases; each method takes a request's body and returns the answer's `result`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards: dict[str, qdrant.EdgeShard] = {}
        self._aliases: dict[str, str] = {}
        self.layouts: dict[str, Any] = {}

    def get_collections(self, _name: str, _body: Any) -> Any:
        return {"collections": [{"name": name} for name in self._shards]}

    def get_aliases(self, _name: str, _body: Any) -> Any:
        pairs = self._aliases.items()
        return {"aliases": [{"alias_name": alias, "collection_name": name} for alias, name in pairs]}

    def exists(self, name: str, _body: Any) -> Any:
        return {"exists": self._aliases.get(name, name) in self._shards}

    def info(self, name: str, _body: Any) -> Any:
        self._shard(name)
        layout = self.layouts[self._aliases.get(name, name)]
        hnsw = {"m": 0, "ef_construct": 4, "full_scan_threshold": 10_000}
        optimizers = {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000, "default_segment_number": 0}
        params = {"vectors": layout["vectors"]}
        config = {
            "params": params,
            "hnsw_config": hnsw,
            "optimizer_config": optimizers | {"flush_interval_sec": 5},
        }
        counts = {"segments_count": 1, "payload_schema": {}}
        return {"status": "green", "optimizer_status": "ok", "config": config, **counts}

    def create(self, name: str, body: Any) -> Any:
        if name in self._shards:
            raise ConflictError(f"Collection `{name}` already exists!")
        folder = self._folder / name
        folder.mkdir(parents=True)
        self._shards[name] = qdrant.EdgeShard.create(str(folder), _config(body))
        self.layouts[name] = body
        return True

    def drop(self, name: str, _body: Any) -> Any:
        shard = self._shards.pop(name, None)
        if shard is None:
            return False
        self._aliases = {alias: target for alias, target in self._aliases.items() if target != name}
        shard.close()
        shutil.rmtree(self._folder / name)
        return True

    def change_aliases(self, _name: str, body: Any) -> Any:
        aliases = dict(self._aliases)
        for action in body["actions"]:
            if deleted := action.get("delete_alias"):
                aliases.pop(deleted["alias_name"], None)
            if created := action.get("create_alias"):
                if created["collection_name"] not in self._shards:
                    raise NotFoundError(created["collection_name"])
                aliases[created["alias_name"]] = created["collection_name"]
        self._aliases = aliases
        return True

    def create_field_index(self, name: str, body: Any) -> Any:
        schema = SCHEMA_TYPES[body["field_schema"]]
        return self._update(name, qdrant.UpdateOperation.create_field_index(body["field_name"], schema))

    def upsert(self, name: str, body: Any) -> Any:
        points = [
            qdrant.Point(
                point["id"], {key: _vector(v) for key, v in point["vector"].items()}, point["payload"]
            )
            for point in body["points"]
        ]
        return self._update(name, qdrant.UpdateOperation.upsert_points(points))

    def delete(self, name: str, body: Any) -> Any:
        return self._update(name, qdrant.UpdateOperation.delete_points(body["points"]))

    def retrieve(self, name: str, body: Any) -> Any:
        records = self._shard(name).retrieve(
            body["ids"], with_payload=body["with_payload"], with_vector=body["with_vector"]
        )
        return [{"id": str(record.id), "vector": record.vector} for record in records]

    def query(self, name: str, body: Any) -> Any:
        request = qdrant.QueryRequest(
            limit=body.get("limit") or 10,
            query=_nearest(body),
            prefetches=[_prefetch(body["prefetch"])] if body.get("prefetch") else None,
            filter=_filter(body.get("filter")),
            params=_search_params(body.get("params")),
            with_payload=qdrant.PayloadSelector.Include(body["with_payload"]),
        )
        hits = self._shard(name).query(request)
        return {
            "points": [
                {"id": str(hit.id), "version": hit.version, "score": hit.score, "payload": hit.payload}
                for hit in hits
            ]
        }

    def scroll(self, name: str, body: Any) -> Any:
        request = qdrant.ScrollRequest(
            offset=body.get("offset"), limit=body.get("limit"), filter=_filter(body.get("filter"))
        )
        records, offset = self._shard(name).scroll(request)
        return {
            "points": [{"id": str(record.id)} for record in records],
            "next_page_offset": None if offset is None else str(offset),
        }

    def count(self, name: str, body: Any) -> Any:
        exact = body.get("exact", True)
        return {"count": self._shard(name).count(qdrant.CountRequest(exact, _filter(body.get("filter"))))}

    def facet(self, name: str, body: Any) -> Any:
        request = qdrant.FacetRequest(
            body["key"], body.get("limit") or 10, body.get("exact") or False, _filter(body.get("filter"))
        )
        hits = self._shard(name).facet(request).hits
        return {"hits": [{"value": hit.value, "count": hit.count} for hit in hits]}

    def _update(self, name: str, operation: qdrant.UpdateOperation) -> Any:
        self._shard(name).update(operation)
        return {"operation_id": 0, "status": "completed"}

    def _shard(self, name: str) -> qdrant.EdgeShard:
        target = self._aliases.get(name, name)
        if target not in self._shards:
            raise NotFoundError(name)
        return self._shards[target]


def _config(body: Any) -> qdrant.EdgeConfig:
    """Codes as asked for; no graph, so that small collections behave as large ones do."""
    assert body["sparse_vectors"] == {"lexical": {}}
    return qdrant.EdgeConfig(
        vectors={name: _vector_params(params) for name, params in body["vectors"].items()},
        sparse_vectors={"lexical": qdrant.EdgeSparseVectorParams()},
        on_disk_payload=body["on_disk_payload"],
        hnsw_config=qdrant.HnswIndexConfig(m=0, ef_construct=4, full_scan_threshold=10_000),
    )


def _vector_params(body: Any) -> qdrant.EdgeVectorParams:
    return qdrant.EdgeVectorParams(
        size=body["size"],
        distance=getattr(qdrant.Distance, body["distance"]),
        datatype={"float16": qdrant.VectorStorageDatatype.Float16}[body["datatype"]],
        on_disk=body["on_disk"],
        quantization_config=_quantization(body.get("quantization_config")),
    )


def _quantization(body: Any) -> qdrant.QuantizationConfigType | None:
    if body is None:
        return None
    if turbo := body.get("turbo"):
        return qdrant.TurboQuantQuantizationConfig(turbo["always_ram"], TURBO_BITS[turbo["bits"]])
    binary = body["binary"]
    return qdrant.BinaryQuantizationConfig(
        binary["always_ram"], ENCODINGS[binary.get("encoding")], QUERY_ENCODINGS[binary.get("query_encoding")]
    )


def _vector(value: Any) -> Any:
    return qdrant.SparseVector(value["indices"], value["values"]) if isinstance(value, dict) else value


def _nearest(body: Any) -> Any:
    query = body["query"]
    if isinstance(query, dict) and "nearest" in query:
        query = query["nearest"]
    return qdrant.Query.Nearest(_vector(query), using=body["using"])


def _prefetch(body: Any) -> qdrant.Prefetch:
    params, where = _search_params(body.get("params")), _filter(body.get("filter"))
    return qdrant.Prefetch(body["limit"], _nearest(body), params=params, filter=where)


def _filter(body: Any) -> qdrant.Filter | None:
    return qdrant.Filter(must=[_condition(condition) for condition in body["must"]]) if body else None


def _condition(body: Any) -> qdrant.FieldCondition:
    if body.get("match"):
        return qdrant.FieldCondition(body["key"], match=qdrant.MatchAny(any=body["match"]["any"]))
    between = {key: value for key, value in body["range"].items() if value}
    return qdrant.FieldCondition(body["key"], range=qdrant.RangeDateTime(**between))


def _search_params(body: Any) -> qdrant.SearchParams | None:
    if not body:
        return None
    quantization = {
        key: value for key, value in (body.get("quantization") or {}).items() if value is not None
    }
    return qdrant.SearchParams(
        exact=body.get("exact") or False, quantization=qdrant.QuantizationSearchParams(**quantization)
    )
