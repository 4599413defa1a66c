"""Document frequencies: how many passages of a library hold each term, which gives a query its IDF weights.

The index holds no IDF, since its own would count passages that a person may not read. Frequencies are kept in
parts, which add up; a part with negative numbers takes passages out again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.stemming import stemmed_as
from retrieval.types import FloatArray, SparseVector


@dataclass(frozen=True, slots=True, eq=False)
class Frequencies:
    """A part: its number of passages, their languages, and for each term the passages that hold it."""

    passages: int
    languages: Counter[str]  # passages by the language that they are stemmed by
    terms: NDArray[np.uint32]  # sorted, each once
    counts: NDArray[np.int32]  # of passages, none of them 0

    def __neg__(self) -> Frequencies:
        languages = Counter({language: -count for language, count in self.languages.items()})
        return Frequencies(-self.passages, languages, self.terms, -self.counts)

    def of(self, terms: NDArray[np.uint32]) -> NDArray[np.int32]:
        """Return the number of passages that hold each of `terms`, (terms,)."""
        if not len(self.terms):
            return np.zeros(len(terms), dtype=np.int32)
        places = np.minimum(np.searchsorted(self.terms, terms), len(self.terms) - 1)
        return np.where(self.terms[places] == terms, self.counts[places], 0)

    def to_bytes(self) -> bytes:
        """Return terms and counts, 8 bytes for each term."""
        return self.terms.astype("<u4").tobytes() + self.counts.astype("<i4").tobytes()

    @classmethod
    def from_bytes(cls, passages: int, languages: dict[str, int], data: bytes | memoryview) -> Frequencies:
        """Read what `to_bytes` wrote."""
        terms, counts = np.frombuffer(data, "<u4").reshape(2, -1)
        return cls(passages, Counter(languages), terms, counts.view("<i4"))


def count(vectors: Sequence[SparseVector], languages: Iterable[str]) -> Frequencies:
    """Count the passages of these sparse vectors; `languages` has that of each passage (ISO 639-1)."""
    spoken = Counter(map(stemmed_as, languages))
    terms, counts = np.unique(
        np.concatenate([np.empty(0, np.uint32), *(vector.indices for vector in vectors)]), return_counts=True
    )
    return Frequencies(len(vectors), spoken, terms, counts.astype(np.int32))


def merge(parts: Sequence[Frequencies]) -> Frequencies:
    """Add parts up to one."""
    terms, places = np.unique(
        np.concatenate([np.empty(0, np.uint32), *(part.terms for part in parts)]), return_inverse=True
    )
    counts = np.zeros(len(terms), dtype=np.int32)
    np.add.at(counts, places, np.concatenate([np.empty(0, np.int32), *(part.counts for part in parts)]))
    held, languages = counts != 0, Counter[str]()
    for part in parts:
        languages.update(part.languages)
    return Frequencies(sum(part.passages for part in parts), languages, terms[held], counts[held])


def languages_of(parts: Sequence[Frequencies]) -> set[str]:
    """Return the languages that any passage of these parts is stemmed by."""
    languages = Counter[str]()
    for part in parts:
        languages.update(part.languages)
    return {language for language, passages in languages.items() if passages > 0}


def idf(terms: NDArray[np.uint32], parts: Sequence[Frequencies]) -> FloatArray:
    """Return BM25's IDF of each term over the passages of all parts, ln(1 + (N - n + 0.5) / (n + 0.5))."""
    total = max(sum(part.passages for part in parts), 0)
    holding = np.zeros(len(terms), dtype=np.int64)
    for part in parts:
        holding += part.of(terms)
    holding = np.clip(holding, 0, total)
    weights: FloatArray = np.log(1 + (total - holding + 0.5) / (holding + 0.5)).astype(np.float32)
    return weights
