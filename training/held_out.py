"""Passages held out of learning: how well a table ranks them, and which queries it answers otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from retrieval.types import FloatArray, Passage
from training.bags import PASSAGE_TOKENS, QUERY_TOKENS, BagMaker
from training.pairs import SelfPair
from training.scoring import Quality, ranks, score

# Passages learned from that the held-out ones compete with.
_CROWD = 5_000
_EXAMPLES = 6
SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Example:
    """A pseudo-query whose passage moved: its rank among the held-out passages and the crowd, from 1."""

    query: str
    title: str
    passage: str  # its beginning
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Pseudo-queries of held-out passages, what they are ranked against, and which row is right for each."""

    pairs: Sequence[SelfPair]
    held_out: Sequence[Passage]
    queries: csr_matrix
    passages: csr_matrix
    right: NDArray[np.intp]

    @classmethod
    def of(
        cls,
        bags: BagMaker,
        pairs: Sequence[SelfPair],
        held_out: Sequence[tuple[int, Passage]],
        others: Sequence[tuple[int, Passage]],
    ) -> HeldOut:
        """Each pair's passage lacks what its query says, so that each query is ranked against its own."""
        crowd = [passage.full for _, passage in others[:_CROWD]]
        by_number = dict(held_out)
        return cls(
            pairs=pairs,
            held_out=[by_number[pair.group] for pair in pairs],
            queries=bags([pair.query for pair in pairs], max_tokens=QUERY_TOKENS),
            passages=bags([pair.passage for pair in pairs] + crowd, max_tokens=PASSAGE_TOKENS),
            right=np.arange(len(pairs)),
        )

    def qualities(self, table: FloatArray, dimensions: Sequence[int]) -> dict[int, Quality]:
        queries, passages = self._vectors(table)
        return {cut: score(queries, passages, self.right, dimensions=cut) for cut in dimensions}

    def examples(self, before: FloatArray, after: FloatArray) -> list[Example]:
        """The queries whose passage moved most, for better or worse, one of a passage."""
        old, new = (ranks(*self._vectors(table), self.right) for table in (before, after))
        moved = np.argsort(-np.abs(np.log(old) - np.log(new)), kind="stable")
        kept = list({self.pairs[i].group: i for i in reversed(moved[: 10 * _EXAMPLES])}.values())
        kept.sort(key=lambda i: -abs(np.log(old[i]) - np.log(new[i])))
        return [
            Example(
                query=self.pairs[i].query[:SHOWN_CHARACTERS],
                title=self.held_out[i].title,
                passage=self.held_out[i].text[:SHOWN_CHARACTERS],
                before=int(old[i]),
                after=int(new[i]),
            )
            for i in kept[:_EXAMPLES]
            if int(old[i]) != int(new[i])
        ]

    def _vectors(self, table: FloatArray) -> tuple[FloatArray, FloatArray]:
        return (
            np.asarray(self.queries @ table, dtype=np.float32),
            np.asarray(self.passages @ table, dtype=np.float32),
        )
