"""What every engine finds by its codes: how near to exact, how they differ, and how rescoring mends them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args
from uuid import uuid4

import numpy as np
import pytest

from retrieval.index import edge, server
from retrieval.index.base import CollectionSpec, Index, Precision, Quantization
from retrieval.types import Filter
from tests.support.index_points import DIMENSIONS, identity, ids, point, vector

QUERIES = [vector(10_000 + number) for number in range(40)]


def recall(
    index: Index, collection: str, precision: Precision, filter: Filter | None = None, **options: float
) -> float:
    """Share of the ten nearest that `precision` finds too."""
    found = 0
    for query in QUERIES:
        exact = index.search_dense(collection, query, limit=10, filter=filter, precision="exact")
        candidates = index.search_dense(
            collection, query, limit=10, filter=filter, precision=precision, **options
        )
        found += len({*ids(exact)} & {*ids(candidates)})
    return found / (10 * len(QUERIES))


def test_rescored_should_find_what_exact_finds(index: Index, collection: str) -> None:
    index.upsert(collection, [point(number) for number in range(1000)])
    binary = recall(index, collection, "binary")
    assert binary < 0.6  # one bit of each of 32 dimensions says little
    assert recall(index, collection, "rescored") > binary + 0.15
    assert recall(index, collection, "rescored", oversampling=40.0) > 0.9


def test_rescored_scores_should_be_cosines(index: Index, collection: str) -> None:
    index.upsert(collection, [point(number) for number in range(200)])
    best = index.search_dense(collection, vector(7), limit=3, oversampling=40.0)
    expected = [float(vector(7) @ vector(number)) for number in range(200)]
    assert [hit.score for hit in best] == sorted((hit.score for hit in best), reverse=True)
    assert best[0].id == identity(7)
    assert [hit.score for hit in best] == pytest.approx(sorted(expected)[:-4:-1], abs=2e-3)


def test_narrow_filter_should_fall_back_to_exact(index: Index, collection: str) -> None:
    index.upsert(collection, [point(number, library=number % 4) for number in range(600)])
    narrow = Filter({"library": ["1"]})
    assert recall(index, collection, "binary", narrow) < 0.8
    assert recall(index, collection, "rescored", narrow, oversampling=1.0) == 1.0


@pytest.fixture(scope="module")
def quantized(index: Index) -> Iterator[dict[Quantization, str]]:
    """One collection for each quantization, of the same points, that no test changes."""
    collections = {kind: f"test-{kind}-{uuid4().hex}" for kind in get_args(Quantization)}
    for kind, collection in collections.items():
        index.create(collection, CollectionSpec(DIMENSIONS, kind))
        index.upsert(collection, [point(number) for number in range(600)])
    yield collections
    for collection in collections.values():
        index.drop(collection)


@pytest.mark.parametrize("kind", get_args(Quantization))
def test_quantization_should_cost_little_once_rescored(
    index: Index, quantized: dict[Quantization, str], kind: Quantization
) -> None:
    collection = quantized[kind]
    nearest = [index.search_dense(collection, vector(number), limit=1)[0].id for number in range(20)]
    assert nearest == [identity(number) for number in range(20)]
    assert recall(index, collection, "rescored", oversampling=20.0) > 0.9
    assert recall(index, collection, "binary") < 1


def test_quantizations_should_be_different_codes(index: Index, quantized: dict[Quantization, str]) -> None:
    orders = {
        kind: tuple(
            identity
            for query in QUERIES[:10]
            for identity in ids(index.search_dense(collection, query, limit=30, precision="binary"))
        )
        for kind, collection in quantized.items()
    }
    assert len({*orders.values()}) == len(quantized)


def test_more_bits_should_find_more(index: Index, quantized: dict[Quantization, str]) -> None:
    found = {kind: recall(index, collection, "binary") for kind, collection in quantized.items()}
    assert found["binary"] < found["binary-query8"] < found["turbo-4"]
    assert found["turbo-1"] < found["turbo-2"] < found["turbo-4"]


@pytest.fixture
def shortened(index: Index, name: str) -> Iterator[str]:
    """A collection whose codes are made of half of the dimensions."""
    index.create(name, CollectionSpec(DIMENSIONS, "binary-query8", DIMENSIONS // 2))
    index.upsert(name, [point(number, library=number % 4) for number in range(600)])
    yield name
    index.drop(name)


def test_codes_of_fewer_dimensions_should_be_rescored_by_all(index: Index, shortened: str) -> None:
    codes = index.search_dense(shortened, vector(7), limit=300, precision="binary")
    blind = np.concatenate([vector(7)[: DIMENSIONS // 2], np.ones(DIMENSIONS // 2)]).astype(np.float32)
    assert index.search_dense(shortened, blind, limit=300, precision="binary") == codes
    assert recall(index, shortened, "binary") < 0.5
    assert recall(index, shortened, "rescored", oversampling=30.0) > 0.9
    best = index.search_dense(shortened, vector(7), limit=3, oversampling=30.0)
    expected = sorted((float(vector(7) @ vector(number)) for number in range(600)), reverse=True)
    assert [hit.score for hit in best] == pytest.approx(expected[:3], abs=2e-3)


def test_codes_of_fewer_dimensions_should_be_searched_as_deep_as_asked(index: Index, shortened: str) -> None:
    codes = index.search_dense(shortened, vector(7), limit=25, precision="binary")
    deep = index.search_dense(shortened, vector(7), limit=25, oversampling=1.0)
    assert {*ids(deep)} == {*ids(codes)}
    assert ids(deep) != ids(codes)


def test_filter_should_hold_with_codes_of_fewer_dimensions(
    index: Index, shortened: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    narrow = Filter({"library": ["1"]})
    expected = {identity(number) for number in range(1, 600, 4)}
    for precision in ("rescored", "binary", "exact"):
        found = index.search_dense(shortened, vector(1), limit=150, filter=narrow, precision=precision)
        assert {*ids(found)} == expected
    assert recall(index, shortened, "rescored", narrow, oversampling=1.0) == 1.0
    for engine in (edge, server):
        monkeypatch.setattr(engine, "NARROW", 0)  # now the codes answer; in another process they do not
    wide = index.search_dense(shortened, vector(1), limit=20, filter=narrow, oversampling=2.0)
    assert len(wide) == 20
    assert {*ids(wide)} <= expected


def test_switch_should_allow_codes_of_other_dimensions(index: Index, shortened: str, name: str) -> None:
    alias, plain = f"{name}-live", f"{name}-plain"
    index.create(plain, CollectionSpec(DIMENSIONS))
    for version in (shortened, plain, shortened):
        index.switch(alias, version)
        index.upsert(alias, [point(1000)])
        for _ in range(2):
            assert index.search_dense(alias, vector(1000), limit=1)[0].id == identity(1000)
    index.drop(plain)


def test_create_should_keep_a_collection_of_another_quantization(index: Index, collection: str) -> None:
    index.upsert(collection, [point(number) for number in range(50)])
    index.create(collection, CollectionSpec(DIMENSIONS, "turbo-2"))
    assert ids(index.search_dense(collection, vector(3), limit=1)) == [identity(3)]
