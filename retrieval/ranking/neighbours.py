"""What the neighbours of each candidate say: passages on one matter are relevant to the same queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from retrieval.ranking.query import Query
from retrieval.ranking.stage import Pool
from retrieval.types import FusedCandidate

NEIGHBOURS = 10  # of each candidate
# How much they count, as a leg beside the two: so many times as much as the dense leg, in whose space they
# lie. Chosen on seven English sets, before and after learning (docs/decisions/0006-neighbours.md).
WEIGHT = 3.0


def by_neighbours(query: Query, candidates: Sequence[FusedCandidate], pool: Pool) -> list[FusedCandidate]:
    """Return the candidates, best first, by their fused scores and the mean scores of what lies around them.

    The mean is of a candidate itself and its nearest others, weighted by their cosines (Diaz 2005,
    Regularizing ad hoc retrieval scores, doi:10.1145/1099554.1099722): with itself, so that the better one
    of two stays first. One without a vector, or near to no other, keeps its score.
    """
    vectors = pool.vectors([candidate.id for candidate in candidates]) if candidates else {}
    known = [candidate for candidate in candidates if candidate.id in vectors]
    if len(known) < 2:
        return list(candidates)
    scores = np.array([candidate.score for candidate in known], dtype=np.float32)
    places = np.stack([vectors[candidate.id] for candidate in known])
    near = np.maximum(places @ places.T, 0)
    if (counted := NEIGHBOURS + 1) < len(known):
        near[near < np.partition(near, -counted, axis=1)[:, -counted, np.newaxis]] = 0
    total = near.sum(axis=1)
    around = np.divide(near @ scores, total, out=scores.copy(), where=total > 0)
    weight = WEIGHT * (1 - query.lexical_weight)
    moved = (scores + weight * around) / (1 + weight)
    found = dict(zip((candidate.id for candidate in known), moved.tolist(), strict=True))
    leaning = [replace(candidate, score=found.get(candidate.id, candidate.score)) for candidate in candidates]
    return sorted(leaning, key=lambda candidate: (-candidate.score, candidate.id))
