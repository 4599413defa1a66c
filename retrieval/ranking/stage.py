"""What a stage is: it orders the candidates of a query anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from retrieval.encoder import Encoder
from retrieval.ranking.query import Query
from retrieval.types import FusedCandidate, Passage


@dataclass(frozen=True, slots=True)
class Pool:
    """What stages may look at: passages by candidate's id, and the encoder."""

    passages: Mapping[str, Passage]
    encoder: Encoder


Stage: TypeAlias = Callable[[Query, Sequence[FusedCandidate], Pool], list[FusedCandidate]]
