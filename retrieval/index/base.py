"""The index contract: what the product asks of a vector index, and no more.

Two engines implement it: `edge.py` (in this process) and `server.py` (a Qdrant server or cluster).
`tests/retrieval/index/` runs the same tests over both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from retrieval.types import Candidate, Filter, FloatArray, Point, SparseVector

KEYWORD_FIELDS = ("library", "document", "type", "language", "year", "tags")
DATE_FIELD = "date"

# Under a filter that leaves fewer points than this, the codes lose recall (0.66 at oversampling 3 under a 1 %
# filter) and save nothing: `rescored` then compares the original vectors.
NARROW = 10_000

Precision = Literal["rescored", "binary", "exact"]

# What is kept in RAM of each dimension of a vector:
# - `binary`: its sign; with -1.5 and -2, the bits that also tell large values from small ones;
# - `binary-query4`, `binary-query8`: its sign, compared with the query in 4 or 8 bits a dimension;
# - `turbo-*`: TurboQuant (Zandieh et al. 2025, arXiv:2504.19874), 1 to 4 bits after a random rotation.
Quantization = Literal[
    "binary",
    "binary-1.5",
    "binary-2",
    "binary-query4",
    "binary-query8",
    "turbo-1",
    "turbo-1.5",
    "turbo-2",
    "turbo-4",
]


class IndexUnavailableError(Exception):
    """The index cannot answer now. The caller may try again later; nothing was half done by a read."""


class UnknownCollectionError(IndexUnavailableError):
    """No collection or alias of this name: it was dropped, or the index was lost."""


class DamagedCollectionError(UnknownCollectionError):
    """The collection is there, and cannot be read: as good as lost."""


@dataclass(frozen=True, slots=True)
class CollectionSpec:
    """How a collection is made: one dense vector with its codes, one sparse vector, payload indexes.

    `code_dimensions`: how many of the first dimensions the codes are made of (None: all). Fewer take less
    RAM, and `rescored` still compares the originals of all dimensions, which lie on disk.

    Raises:
        ValueError: more dimensions in the codes than in the vector.
    """

    dimensions: int
    quantization: Quantization = "binary-query8"
    code_dimensions: int | None = None

    def __post_init__(self) -> None:
        if self.code_dimensions is not None and not 1 <= self.code_dimensions <= self.dimensions:
            raise ValueError(f"codes of {self.code_dimensions} of {self.dimensions} dimensions")

    @property
    def coded(self) -> int:
        """Number of dimensions that are quantized."""
        return self.code_dimensions or self.dimensions


class Index(Protocol):
    """Collections of points. Wherever points are read or written, an alias serves as the collection's name.

    Keyword fields are stored and compared as strings: 7 and "7" are the same library. A filter on a field
    that has no index raises ValueError.

    An engine that does not answer raises IndexUnavailableError: waiting may help. One that answers that the
    collection is not there, or cannot be read, raises UnknownCollectionError: waiting does not help.
    """

    def create(self, collection: str, spec: CollectionSpec) -> None:
        """Make an empty collection with its payload indexes.

        Does nothing where it exists already, even if it was made by another spec.
        """

    def drop(self, collection: str) -> None:
        """Remove a collection, and aliases that point at it; absence is no error."""

    def collections(self) -> list[str]:
        """The names of all collections (no aliases), sorted."""

    def switch(self, alias: str, collection: str) -> None:
        """Point the alias at the collection, in one step that a concurrent query never sees half done."""

    def upsert(self, collection: str, points: Sequence[Point]) -> None:
        """Write points, replacing those of the same id. Returns when they are searchable, and survive a crash
        of the process; a write that was cut off may be repeated.
        """

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove points by id; absent ids are no error."""

    def search_dense(
        self,
        collection: str,
        vector: FloatArray,
        *,
        limit: int,
        filter: Filter | None = None,
        precision: Precision = "rescored",
        oversampling: float = 3.0,
    ) -> list[Candidate]:
        """The nearest points by cosine similarity, best first.

        `rescored` searches the codes for `limit * oversampling` points and orders those by their
        original vectors; `binary` keeps the order of the codes, of whatever quantization; `exact` ignores
        the codes. Under a filter that leaves fewer than `NARROW` points, `rescored` is `exact`.
        """

    def search_sparse(
        self, collection: str, vector: SparseVector, *, limit: int, filter: Filter | None = None
    ) -> list[Candidate]:
        """The points with the highest sum over shared terms of query weight * point weight.

        The engine adds no IDF: it would count points that the filter hides.
        """

    def vectors(self, collection: str, ids: Sequence[str]) -> dict[str, FloatArray]:
        """The original vectors, (dimensions,) float32 of unit length, of the points that are there."""

    def facet(
        self, collection: str, field: str, *, filter: Filter | None = None, limit: int = 1000
    ) -> dict[str, int]:
        """How many points have each value of a keyword field; exact, the most frequent first.

        Values that no point has any more are left out: the engines list them with a count of 0.
        """

    def count(self, collection: str, filter: Filter | None = None) -> int:
        """How many points match; exact."""

    def ids(self, collection: str, filter: Filter | None = None) -> Iterator[str]:
        """The id of every matching point, in no promised order."""

    def close(self) -> None:
        """Flush and let go of files and sockets; safe to call twice."""
