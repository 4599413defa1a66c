"""The server engine, and the stand-in that its tests rely on."""

from __future__ import annotations

import contextlib
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from retrieval.index import IndexSettings, open_index
from retrieval.index.base import CollectionSpec, Index, IndexUnavailableError, Quantization
from retrieval.index.server import ServerIndex
from retrieval.types import Filter
from tests.retrieval.index.conftest import first_line, process
from tests.support.index_points import DIMENSIONS, identity, point, terms, vector
from tests.support.servers import free_port


def call(method: str, url: str, body: Any = None) -> Any:
    headers = {"Content-Type": "application/json", "api-key": "key"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["result"]


@pytest.fixture
def server(stand_in: str, tmp_path: Path) -> Iterator[Index]:
    settings = IndexSettings(tmp_path, stand_in, "key", timeout=1, shard_number=3, replication_factor=2)
    with contextlib.closing(open_index(settings)) as index:
        yield index
        call("POST", f"{stand_in}/_faults", {})


@pytest.fixture
def filled(server: Index, name: str) -> str:
    server.create(name, CollectionSpec(DIMENSIONS))
    server.upsert(name, [point(number, library=1) for number in range(20)])
    return name


def test_collection_should_be_laid_out_as_designed(server: Index, filled: str, stand_in: str) -> None:
    layout = call("GET", f"{stand_in}/_layouts")[filled]
    dense = layout["vectors"]["dense"]
    assert dense["quantization_config"] == {"binary": {"always_ram": True, "query_encoding": "scalar8bits"}}
    assert (dense["on_disk"], dense["datatype"], dense["distance"]) == (True, "float16", "Cosine")
    assert layout["sparse_vectors"] == {"lexical": {}}
    assert layout["on_disk_payload"] is True
    assert (layout["shard_number"], layout["replication_factor"], layout["write_consistency_factor"]) == (
        3,
        2,
        1,
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("binary-2", {"binary": {"always_ram": True, "encoding": "two_bits"}}),
        ("binary-query8", {"binary": {"always_ram": True, "query_encoding": "scalar8bits"}}),
        ("turbo-1.5", {"turbo": {"always_ram": True, "bits": "bits1_5"}}),
    ],
)
def test_quantization_should_be_asked_for_in_qdrant_words(
    server: Index, name: str, stand_in: str, kind: Quantization, expected: dict[str, Any]
) -> None:
    server.create(name, CollectionSpec(DIMENSIONS, kind))
    layout = call("GET", f"{stand_in}/_layouts")[name]
    assert layout["vectors"]["dense"]["quantization_config"] == expected


@pytest.mark.parametrize("fault", [{"delay_s": 5.0}, {"status": 503}, {"status": 429}, {"drop": True}])
def test_failing_server_should_be_unavailable_within_the_limit(
    server: Index, filled: str, stand_in: str, fault: dict[str, Any]
) -> None:
    call("POST", f"{stand_in}/_faults", fault)
    reads = [
        lambda: server.search_dense(filled, vector(1), limit=1),
        lambda: server.search_sparse(filled, terms(t1=1.0), limit=1, filter=Filter({"library": [1]})),
        lambda: server.facet(filled, "library"),
        lambda: server.count(filled),
        lambda: list(server.ids(filled)),
        lambda: server.collections(),
    ]
    for read in reads:
        started = time.monotonic()
        with pytest.raises(IndexUnavailableError):
            read()
        assert time.monotonic() - started < 1.8
    call("POST", f"{stand_in}/_faults", {})
    assert server.count(filled) == 20


def test_slow_write_should_be_waited_for(server: Index, filled: str, stand_in: str) -> None:
    call("POST", f"{stand_in}/_faults", {"delay_s": 1.5})
    server.upsert(filled, [point(100)])
    call("POST", f"{stand_in}/_faults", {})
    assert server.count(filled) == 21


def test_several_processes_should_write_to_one_server(server: Index, filled: str, stand_in: str) -> None:
    writer = "tests.support.index_process"
    with process(writer, stand_in, filled) as one, process(writer, stand_in, filled) as two:
        acknowledged = 0
        while acknowledged < 20:
            acknowledged = min(int(first_line(each).replace("ready", "0")) for each in (one, two))
        hits = server.search_dense(filled, vector(9), limit=1, precision="exact")
    assert hits[0].id == identity(9)
    assert {identity(number) for number in range(acknowledged)} <= {*server.ids(filled)}


def test_absent_server_should_be_unavailable() -> None:
    with contextlib.closing(ServerIndex(f"http://127.0.0.1:{free_port()}")) as index:
        with pytest.raises(IndexUnavailableError):
            index.count("docs")
        with pytest.raises(IndexUnavailableError):
            index.upsert("docs", [point(1)])


def test_wrong_key_should_be_refused(stand_in: str, filled: str) -> None:
    with (
        contextlib.closing(ServerIndex(stand_in, "guess")) as index,
        pytest.raises(ValueError, match="API key"),
    ):
        index.count(filled)


def test_collection_made_by_two_processes_at_once_should_be_one(
    server: Index, filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, True])  # the other one makes it between our question and our request
    monkeypatch.setattr("qdrant_client.QdrantClient.collection_exists", lambda *_: next(answers))
    server.create(filled, CollectionSpec(DIMENSIONS))
    assert server.count(filled) == 20


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/collections/x", {"vectors": {"dense": {"size": 0, "distance": "Cosine"}}}),
        ("PUT", "/collections/x/points?wait=perhaps", {"points": []}),
        ("PUT", "/collections/x/points?later=true", {"points": []}),
        ("PUT", "/collections/x/points", {"points": [{"id": -1, "vector": {}}]}),
        ("POST", "/collections/x/points/query", {"query": [1.0], "using": "dense", "rescore": True}),
        (
            "POST",
            "/collections/x/points/count",
            {"filter": {"must": [{"key": "a", "match": {"any": [1.5]}}]}},
        ),
        ("POST", "/collections/x/points/search", {}),
        ("GET", "/collections/x/exists", {}),
    ],
)
def test_stand_in_should_refuse_what_qdrant_does_not_describe(
    stand_in: str, method: str, path: str, body: Any
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        call(method, stand_in + path, body)
    with refusal.value:
        assert refusal.value.code == 400
