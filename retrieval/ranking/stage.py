"""What a stage is: it orders the candidates of a query anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from retrieval.encoder import Encoder
from retrieval.ranking.query import Query
from retrieval.types import FloatArray, FusedCandidate, Passage


@dataclass(frozen=True, slots=True)
class Pool:
    """What stages may look at: passages by candidate's id, vectors of some candidates, and the encoder.

    `vectors` asks the index, for as many ids as it is given; each vector is of unit length.
    """

    passages: Mapping[str, Passage]
    vectors: Callable[[Sequence[str]], Mapping[str, FloatArray]]
    encoder: Encoder


Stage: TypeAlias = Callable[[Query, Sequence[FusedCandidate], Pool], list[FusedCandidate]]
