"""What every engine does alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import get_args
from uuid import uuid4

import numpy as np
import pytest

from retrieval.index import edge, server
from retrieval.index.base import CollectionSpec, Index, Precision, Quantization, UnknownCollectionError
from retrieval.types import Candidate, Filter
from tests.support.index_points import DIMENSIONS, identity, point, terms, vector

QUERIES = [vector(10_000 + number) for number in range(40)]


def ids(candidates: Sequence[Candidate]) -> list[str]:
    return [candidate.id for candidate in candidates]


def recall(
    index: Index, collection: str, precision: Precision, filter: Filter | None = None, **options: float
) -> float:
    """Of the ten nearest, the share that `precision` finds too."""
    found = 0
    for query in QUERIES:
        exact = index.search_dense(collection, query, limit=10, filter=filter, precision="exact")
        candidates = index.search_dense(
            collection, query, limit=10, filter=filter, precision=precision, **options
        )
        found += len({*ids(exact)} & {*ids(candidates)})
    return found / (10 * len(QUERIES))


def test_create_should_keep_an_existing_collection(index: Index, collection: str) -> None:
    index.upsert(collection, [point(1)])
    index.create(collection, CollectionSpec(DIMENSIONS))
    assert index.count(collection) == 1


def test_collections_should_list_names_and_no_aliases(index: Index, collection: str, name: str) -> None:
    index.switch(f"{name}-live", collection)
    assert collection in index.collections()
    assert f"{name}-live" not in index.collections()


def test_drop_should_remove_the_collection_with_its_aliases(index: Index, name: str) -> None:
    index.create(name, CollectionSpec(DIMENSIONS))
    index.switch(f"{name}-live", name)
    index.drop(name)
    index.drop(name)
    assert name not in index.collections()
    with pytest.raises(UnknownCollectionError):
        index.count(f"{name}-live")


def test_upsert_should_replace_points_of_the_same_id(index: Index, collection: str) -> None:
    index.upsert(collection, [point(1, library="a", sparse=terms(t5=1.0)), point(2, library="a")])
    index.upsert(collection, [point(1, dense=vector(3), library="b", sparse=terms(t6=1.0))])
    assert index.count(collection) == 2
    assert index.facet(collection, "library") == {"a": 1, "b": 1}
    nearest = index.search_dense(collection, vector(3), limit=1, precision="exact")
    assert nearest[0].id == identity(1)
    assert nearest[0].score == pytest.approx(1.0, abs=2e-3)
    assert not index.search_sparse(collection, terms(t5=1.0), limit=5)
    assert ids(index.search_sparse(collection, terms(t6=1.0), limit=5)) == [identity(1)]


def test_vectors_should_be_those_that_were_written(index: Index, collection: str) -> None:
    index.upsert(collection, [point(1), point(2)])
    found = index.vectors(collection, [identity(2), identity(99)])
    assert list(found) == [identity(2)]
    np.testing.assert_allclose(found[identity(2)], vector(2), atol=2e-3)  # kept as float16


def test_delete_should_ignore_absent_ids(index: Index, collection: str) -> None:
    index.upsert(collection, [point(1), point(2)])
    index.delete(collection, [identity(1), identity(99)])
    index.delete(collection, [])
    assert list(index.ids(collection)) == [identity(2)]
    assert ids(index.search_dense(collection, vector(1), limit=5)) == [identity(2)]


def test_unknown_collection_should_be_named(index: Index, name: str) -> None:
    calls = [
        lambda: index.count(name),
        lambda: index.upsert(name, [point(1)]),
        lambda: index.delete(name, [identity(1)]),
        lambda: index.search_dense(name, vector(1), limit=1),
        lambda: index.search_sparse(name, terms(t1=1.0), limit=1),
        lambda: index.facet(name, "library"),
        lambda: list(index.ids(name)),
        lambda: index.switch(f"{name}-live", name),
    ]
    for call in calls:
        with pytest.raises(UnknownCollectionError):
            call()


def test_vector_of_another_size_should_be_refused(index: Index, collection: str) -> None:
    index.upsert(collection, [point(1)])
    with pytest.raises(ValueError, match="dimension"):
        index.search_dense(collection, np.ones(DIMENSIONS + 1, np.float32), limit=1, precision="exact")


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


def test_sparse_should_weigh_rare_terms_more(index: Index, collection: str) -> None:
    common = [point(number, sparse=terms(t1=1.0)) for number in range(20)]
    index.upsert(
        collection, [*common, point(20, sparse=terms(t2=1.0)), point(21, sparse=terms(t1=1.0, t2=1.0))]
    )
    hits = index.search_sparse(collection, terms(t1=1.0, t2=1.0), limit=3)
    assert ids(hits)[:2] == [identity(21), identity(20)]
    # ln((N - df + 0.5) / (df + 0.5) + 1), as Lucene's
    assert hits[1].score == pytest.approx(np.log((22 - 2 + 0.5) / (2 + 0.5) + 1), rel=1e-3)


def test_sparse_should_multiply_query_and_point_weights(index: Index, collection: str) -> None:
    index.upsert(
        collection, [point(1, sparse=terms(t1=2.0)), point(2, sparse=terms(t1=1.0)), point(3, sparse=terms())]
    )
    double = index.search_sparse(collection, terms(t1=3.0), limit=5)
    assert ids(double) == [identity(1), identity(2)]
    assert double[0].score == pytest.approx(2 * double[1].score)
    assert index.search_sparse(collection, terms(), limit=5) == []


@pytest.fixture(scope="module")
def filtered(index: Index) -> Iterator[str]:
    """Four points that no test changes."""
    collection = f"test-{uuid4().hex}"
    index.create(collection, CollectionSpec(DIMENSIONS))
    index.upsert(
        collection,
        [
            point(1, library=1, type="pdf", date="2024-01-31T23:00:00Z", tags=["a", "b"]),
            point(2, library="2", type="pdf", date="2024-02-01T00:00:00+09:00", tags=["b"]),
            point(3, library="2", type="html", date="2025-06-01T00:00:00Z", tags=[]),
            point(4, library="3", type="html"),
        ],
    )
    yield collection
    index.drop(collection)


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (None, {1, 2, 3, 4}),
        (Filter(), {1, 2, 3, 4}),
        (Filter({"library": [1]}), {1}),
        (Filter({"library": ["1"]}), {1}),
        (Filter({"library": ["2", "3", "3", "9"]}), {2, 3, 4}),
        (Filter({"library": []}), set()),
        (Filter({"type": ["pdf"], "library": []}), set()),
        (Filter({"library": ["2"], "type": ["pdf"]}), {2}),
        (Filter({"tags": ["b"]}), {1, 2}),
        (Filter({"tags": ["a", "b"]}), {1, 2}),
        (Filter(date_from="2024-01-31T16:00:00Z"), {1, 3}),
        (Filter(date_to="2024-01-31T15:00:00Z"), {2}),
        (Filter({"type": ["pdf"]}, date_from="2024-01-01T00:00:00Z", date_to="2024-12-31T23:59:59Z"), {1, 2}),
    ],
)
def test_filter_should_hold_in_every_read(
    index: Index, filtered: str, filter: Filter | None, expected: set[int]
) -> None:
    wanted = {identity(number) for number in expected}
    for precision in ("rescored", "binary", "exact"):
        found = index.search_dense(filtered, vector(1), limit=10, filter=filter, precision=precision)
        assert {*ids(found)} == wanted
    assert {*ids(index.search_sparse(filtered, terms(t1=1.0), limit=10, filter=filter))} == wanted
    assert {*index.ids(filtered, filter)} == wanted
    assert index.count(filtered, filter) == len(wanted)
    assert sum(index.facet(filtered, "library", filter=filter).values()) == len(wanted)


def test_filter_on_a_field_without_index_should_be_refused(index: Index, filtered: str) -> None:
    with pytest.raises(ValueError, match="libary"):
        index.count(filtered, Filter({"libary": ["1"]}))


def test_filter_with_a_malformed_date_should_be_refused(index: Index, filtered: str) -> None:
    with pytest.raises(ValueError, match="date"):
        index.count(filtered, Filter(date_from="yesterday"))


def test_facet_should_count_each_value_of_lists(index: Index, filtered: str) -> None:
    assert index.facet(filtered, "tags") == {"a": 1, "b": 2}
    assert index.facet(filtered, "tags", filter=Filter({"library": ["2"]})) == {"b": 1}
    assert index.facet(filtered, "tags", limit=1) == {"b": 2}


def test_facet_and_count_should_be_exact(index: Index, collection: str) -> None:
    index.upsert(
        collection,
        [
            point(n, library=n % 7, document=f"d{n % 300}", type="pdf" if n % 3 else "html")
            for n in range(600)
        ],
    )
    index.delete(collection, [identity(number) for number in range(0, 600, 10)])
    left = [number for number in range(600) if number % 10]
    pdf = Filter({"type": ["pdf"]})
    expected = {str(k): sum(1 for n in left if n % 7 == k and n % 3) for k in range(7)}
    assert index.facet(collection, "library", filter=pdf) == expected
    assert index.count(collection, pdf) == sum(expected.values())
    assert len(index.facet(collection, "document")) == 270  # the other 30 were deleted wholly
    assert {*index.ids(collection)} == {identity(number) for number in left}


def test_switch_should_never_fail_a_query(index: Index, name: str) -> None:
    alias, versions = f"{name}-live", [f"{name}-{number}" for number in range(3)]
    for version in versions:
        index.create(version, CollectionSpec(DIMENSIONS))
        index.upsert(version, [point(number) for number in range(20)])
    index.switch(alias, versions[0])
    stop, answers, failures = threading.Event(), [], []

    def ask() -> None:
        while not stop.is_set():
            try:
                answers.append(len(index.search_dense(alias, vector(1), limit=10)))
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for old, new in zip(versions, versions[1:], strict=False):
        index.switch(alias, new)
        stop.wait(0.1)
        index.drop(old)
    stop.set()
    for thread in threads:
        thread.join()
    index.drop(versions[-1])
    assert failures == []
    assert len(answers) > 20
    assert {*answers} == {10}


def test_threads_should_read_and_write_at_once(index: Index, collection: str) -> None:
    failures: list[BaseException] = []

    def write(first: int) -> None:
        try:
            for number in range(first, first + 50):
                index.upsert(collection, [point(number)])
                assert ids(index.search_dense(collection, vector(number), limit=1, precision="exact")) == [
                    identity(number)
                ]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=[first]) for first in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert index.count(collection) == 150
