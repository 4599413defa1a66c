"""Our values as qdrant-client's, and its errors as ours."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import grpc  # type: ignore[import-untyped]
from qdrant_client import models
from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from retrieval.index.base import (
    DATE_FIELD,
    CollectionSpec,
    IndexUnavailableError,
    Precision,
    Quantization,
    UnknownCollectionError,
)
from retrieval.index.payload import conditions, stored
from retrieval.types import Filter, FloatArray, Point, SparseVector

_ENCODING = models.BinaryQuantizationEncoding
_QUERY = models.BinaryQuantizationQueryEncoding
_BITS = models.TurboQuantBitSize


def _binary(**options: Any) -> models.BinaryQuantization:
    return models.BinaryQuantization(binary=models.BinaryQuantizationConfig(always_ram=True, **options))


def _turbo(bits: models.TurboQuantBitSize) -> models.TurboQuantization:
    return models.TurboQuantization(turbo=models.TurboQuantQuantizationConfig(always_ram=True, bits=bits))


QUANTIZATIONS: dict[Quantization, models.QuantizationConfig] = {
    "binary": _binary(),
    "binary-1.5": _binary(encoding=_ENCODING.ONE_AND_HALF_BITS),
    "binary-2": _binary(encoding=_ENCODING.TWO_BITS),
    "binary-query4": _binary(query_encoding=_QUERY.SCALAR4BITS),
    "binary-query8": _binary(query_encoding=_QUERY.SCALAR8BITS),
    "turbo-1": _turbo(_BITS.BITS1),
    "turbo-1.5": _turbo(_BITS.BITS1_5),
    "turbo-2": _turbo(_BITS.BITS2),
    "turbo-4": _turbo(_BITS.BITS4),
}

_BUSY = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


def collection_layout(spec: CollectionSpec) -> dict[str, Any]:
    """Original vectors and payload on disk, vectors as float16, their codes in RAM, the default graph.

    Codes of fewer dimensions are those of a vector of their own, "codes", which then has the graph.
    """
    codes = QUANTIZATIONS[spec.quantization]
    if spec.code_dimensions is None:
        vectors = {"dense": _vector_params(spec.dimensions, quantization_config=codes)}
    else:
        no_graph = models.HnswConfigDiff(m=0)
        vectors = {
            "dense": _vector_params(spec.dimensions, hnsw_config=no_graph),
            "codes": _vector_params(spec.code_dimensions, quantization_config=codes),
        }
    return {
        "vectors_config": vectors,
        "sparse_vectors_config": {"lexical": models.SparseVectorParams()},
        "on_disk_payload": True,
    }


def _vector_params(size: int, **options: Any) -> models.VectorParams:
    return models.VectorParams(
        size=size,
        distance=models.Distance.COSINE,
        datatype=models.Datatype.FLOAT16,
        on_disk=True,
        **options,
    )


def code_dimensions(info: models.CollectionInfo) -> int | None:
    """Number of dimensions that a collection quantizes, where not all."""
    vectors = info.config.params.vectors
    return vectors["codes"].size if isinstance(vectors, dict) and "codes" in vectors else None


def server_point(point: Point, code_dimensions: int | None) -> models.PointStruct:
    vector: dict[str, Any] = {"dense": point.dense.tolist(), "lexical": server_sparse(point.sparse)}
    if code_dimensions is not None:
        vector["codes"] = point.dense[:code_dimensions].tolist()
    return models.PointStruct(id=point.id, vector=vector, payload=stored(point.payload))


def server_sparse(vector: SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=vector.indices.tolist(), values=vector.values.tolist())


def server_filter(filter: Filter | None) -> models.Filter | None:
    if filter is None:
        return None
    must = [
        models.FieldCondition(key=field, match=models.MatchAny(any=values))
        for field, values in conditions(filter).items()
    ]
    if filter.date_from or filter.date_to:
        # Parsed by the model, which raises ValueError as the embedded engine does.
        between = models.DatetimeRange.model_validate({"gte": filter.date_from, "lte": filter.date_to})
        must.append(models.FieldCondition(key=DATE_FIELD, range=between))
    return models.Filter(must=[*must]) if must else None


def dense_request(
    vector: FloatArray,
    limit: int,
    filter: Filter | None,
    precision: Precision,
    oversampling: float,
    code_dimensions: int | None,
) -> dict[str, Any]:
    """What `query_points` is asked. Rescoring is always asked for by name, never left to the default."""
    originals: dict[str, Any] = {"query": vector.tolist(), "using": "dense", "limit": limit}
    where = server_filter(filter)
    if precision == "exact":
        ignored = models.SearchParams(exact=True, quantization=models.QuantizationSearchParams(ignore=True))
        return {**originals, "query_filter": where, "search_params": ignored}
    unrescored = models.SearchParams(quantization=models.QuantizationSearchParams(rescore=False))
    codes = originals
    if code_dimensions is not None:
        codes = {"query": vector[:code_dimensions].tolist(), "using": "codes", "limit": limit}
    if precision == "binary":
        return {**codes, "query_filter": where, "search_params": unrescored}
    if code_dimensions is not None:
        depth = math.ceil(limit * oversampling)
        found = models.Prefetch(**{**codes, "limit": depth}, filter=where, params=unrescored)
        return {**originals, "prefetch": found}
    rescored = models.QuantizationSearchParams(rescore=True, oversampling=oversampling)
    return {**originals, "query_filter": where, "search_params": models.SearchParams(quantization=rescored)}


@contextlib.contextmanager
def our_errors(collection: str) -> Iterator[None]:
    """Turns what the client raises for an absent, slow or failing server into the contract's errors."""
    try:
        yield
    except (ResponseHandlingException, ResourceExhaustedResponse) as error:
        raise IndexUnavailableError(str(error)) from error
    except UnexpectedResponse as error:
        if error.status_code == HTTPStatus.NOT_FOUND:
            raise UnknownCollectionError(collection) from error
        if error.status_code in _BUSY or (error.status_code or 500) >= 500:
            raise IndexUnavailableError(str(error)) from error
        raise ValueError(str(error)) from error
    except grpc.RpcError as error:
        raise _from_grpc(collection, error) from error


def _from_grpc(collection: str, error: grpc.RpcError) -> Exception:
    code = error.code()
    if code is grpc.StatusCode.NOT_FOUND:
        return UnknownCollectionError(collection)
    if code is grpc.StatusCode.INVALID_ARGUMENT:
        return ValueError(str(error))
    return IndexUnavailableError(str(error))
