"""What every engine counts and finds under a filter."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from retrieval.index.base import CollectionSpec, Index
from retrieval.types import Filter
from tests.support.index_points import DIMENSIONS, identity, ids, point, terms, vector


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
