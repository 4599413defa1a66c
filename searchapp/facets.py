"""Facets: how many of the found documents have each value of a field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

FACETS = ("library", "type", "language", "year")
MOST_VALUES = 12


@dataclass(frozen=True, slots=True)
class Found:
    """The filter fields of one found document that the person may read."""

    document: str
    library: str
    library_name: str
    type: str
    language: str
    year: str


@dataclass(frozen=True, slots=True)
class Facet:
    value: str
    label: str
    count: int
    selected: bool


def count_facets(found: Collection[Found], selected: Mapping[str, Collection[str]]) -> dict[str, list[Facet]]:
    """Documents per value of each field, the most frequent first.

    A field is counted under the selections in the *other* fields, so that choosing one value does not hide
    its alternatives. Selections of what is no facet (tags) hold for all of `found` already.
    """
    selected = {name: selected.get(name, ()) for name in FACETS}
    documents = {f.document: f for f in found}.values()
    return {
        name: _count(
            name,
            [d for d in documents if _matches(d, {k: v for k, v in selected.items() if k != name})],
            selected.get(name, ()),
        )
        for name in FACETS
    }


def _matches(found: Found, selected: Mapping[str, Collection[str]]) -> bool:
    return all(not values or getattr(found, name) in values for name, values in selected.items())


def _count(name: str, documents: Sequence[Found], selected: Collection[str]) -> list[Facet]:
    counts = Counter(value for d in documents if (value := getattr(d, name)))
    labels = {d.library: d.library_name for d in documents} if name == "library" else {}
    ranked = sorted(counts, key=lambda value: (-counts[value], value))[:MOST_VALUES]
    return [Facet(v, labels.get(v, v), counts[v], v in selected) for v in ranked]
