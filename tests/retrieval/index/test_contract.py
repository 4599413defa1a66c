"""What every engine does alike."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from retrieval.index.base import CollectionSpec, Index, UnknownCollectionError
from retrieval.types import Filter
from tests.support.index_points import DIMENSIONS, identity, ids, point, terms, vector


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


def test_candidates_should_tell_their_document_and_how_many_passages_it_has(
    index: Index, collection: str
) -> None:
    index.upsert(collection, [point(1, document="handbook", passages=12, type="pdf"), point(2)])
    (sparse, _) = sorted(index.search_sparse(collection, terms(t1=1.0), limit=2), key=lambda c: c.id)
    dense = index.search_dense(collection, vector(1), limit=1)[0]
    assert [(c.id, c.document, c.passages) for c in (sparse, dense)] == [(identity(1), "handbook", 12)] * 2
    bare = index.search_dense(collection, vector(2), limit=1)[0]
    assert (bare.document, bare.passages) == ("", 0)


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


def test_sparse_should_not_depend_on_other_points(index: Index, collection: str) -> None:
    """The engine adds no IDF, which would tell of points that a filter hides."""
    index.upsert(collection, [point(1, library="own", sparse=terms(t1=1.0, t2=2.0))])
    alone = index.search_sparse(collection, terms(t1=0.5, t2=1.5), limit=3)
    others = [point(number, library="other", sparse=terms(t1=1.0)) for number in range(2, 22)]
    index.upsert(collection, others)
    where = Filter({"library": ["own"]})
    beside = index.search_sparse(collection, terms(t1=0.5, t2=1.5), limit=3, filter=where)
    assert beside == alone
    assert alone[0].score == pytest.approx(3.5)


def test_sparse_should_multiply_query_and_point_weights(index: Index, collection: str) -> None:
    index.upsert(
        collection, [point(1, sparse=terms(t1=2.0)), point(2, sparse=terms(t1=1.0)), point(3, sparse=terms())]
    )
    double = index.search_sparse(collection, terms(t1=3.0), limit=5)
    assert ids(double) == [identity(1), identity(2)]
    assert double[0].score == pytest.approx(2 * double[1].score)
    assert index.search_sparse(collection, terms(), limit=5) == []


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
