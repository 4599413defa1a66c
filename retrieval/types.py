"""The small frozen values that pass between the stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SparseVector:
    """Term weights: `indices` are term ids (uint32, unique), `values` their weights (float32)."""

    indices: NDArray[np.uint32]
    values: FloatArray


@dataclass(frozen=True, slots=True)
class Point:
    """What the index holds for one chunk: vectors, and filter fields (never text)."""

    id: str  # a UUID
    dense: FloatArray  # (dimensions,), unit length
    sparse: SparseVector
    payload: Mapping[str, str | int | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Filter:
    """All of the conditions hold: each field has any one of its values, and the date lies in the range.

    An empty list of values matches nothing: a person who may read no library sees no point.
    """

    any_of: Mapping[str, Sequence[str | int]] = field(default_factory=dict)
    date_from: str | None = None  # RFC 3339
    date_to: str | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One hit of one leg. Higher scores are better; scales differ between legs.

    `document` is the one that the passage is from, and `passages` the number that it has; where the index was
    not told them, "" and 0.
    """

    id: str
    score: float
    document: str = ""
    passages: int = 0


@dataclass(frozen=True, slots=True)
class FusedCandidate:
    """One hit after fusion, with the score of each leg that found it."""

    id: str
    score: float
    dense: float | None = None
    lexical: float | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """What both legs index for a chunk: its context (title, heading path), then its text."""

    text: str
    title: str = ""
    heading: str = ""  # "Chapter > Section", outermost first
    language: str = ""  # ISO 639-1, empty where unknown

    @property
    def context(self) -> str:
        return "\n".join(part for part in (self.title, self.heading) if part)

    @property
    def full(self) -> str:
        return "\n".join(part for part in (self.title, self.heading, self.text) if part)
