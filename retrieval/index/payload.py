"""What both engines agree on about filter fields and records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from retrieval.index.base import DATE_FIELD, KEYWORD_FIELDS
from retrieval.types import Candidate, Filter, FloatArray

CANDIDATE_FIELDS = ["document", "passages"]  # of the payload, that come with every hit


def stored(payload: Mapping[str, str | int | Sequence[str]]) -> dict[str, str | int | list[str]]:
    """The payload as the index holds it: keyword fields as strings, for a keyword index skips numbers."""
    return {
        key: _keyword(value) if key in KEYWORD_FIELDS else _plain(value) for key, value in payload.items()
    }


def conditions(filter: Filter) -> dict[str, list[str]]:
    """Each keyword field with the strings of which one must match.

    Raises ValueError for a field without an index: a misspelt filter must not let everything through.
    """
    if unknown := set(filter.any_of) - set(KEYWORD_FIELDS):
        raise ValueError(f"no filter field {sorted(unknown)}; there are {[*KEYWORD_FIELDS, DATE_FIELD]}")
    return {field: list(dict.fromkeys(map(str, values))) for field, values in filter.any_of.items()}


def matches_nothing(filter: Filter | None) -> bool:
    """Whether some field may have none of all values. No engine is asked then: access depends on it."""
    return filter is not None and any(not values for values in filter.any_of.values())


def candidates(hits: Iterable[Any]) -> list[Candidate]:
    """Return hits of either engine, which have the same fields, with what `CANDIDATE_FIELDS` of them say."""
    found = []
    for hit in hits:
        payload = hit.payload or {}
        found.append(
            Candidate(str(hit.id), hit.score, payload.get("document", ""), payload.get("passages", 0))
        )
    return found


def dense_vectors(records: Iterable[Any]) -> dict[str, FloatArray]:
    """Return payloads by point. `records` are those of either engine, which have the same fields."""
    return {str(record.id): np.array(record.vector["dense"], dtype=np.float32) for record in records}


def _keyword(value: str | int | Sequence[str]) -> str | list[str]:
    return str(value) if isinstance(value, str | int) else [str(item) for item in value]


def _plain(value: str | int | Sequence[str]) -> str | int | list[str]:
    return value if isinstance(value, str | int) else list(value)
