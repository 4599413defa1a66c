"""Two ranked lists to one, by weighted scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from retrieval.lexical import is_cjk
from retrieval.types import Candidate, FusedCandidate


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much the lexical leg counts, 0 to 1; the dense leg counts the rest.

    The defaults are for the shipped static model before it has learned the corpus: between 0.6 (the best mean
    nDCG@10 of seven English sets, 0.605, against 0.599 at 0.8) and 0.7, so that no set falls far below its
    better leg.
    """

    spaced: float = 0.65  # languages written with spaces between words
    cjk: float = 0.9  # Chinese, Japanese, Korean: bigrams are strong, a small static model is weak

    def lexical(self, query: str) -> float:
        """The weight for this query."""
        return self.cjk if is_cjk(query) else self.spaced


DEFAULT_WEIGHTS = FusionWeights()
LEARNED_WEIGHTS = FusionWeights(spaced=0.6)  # for a model that has learned the corpus


def fuse(
    dense: Sequence[Candidate], lexical: Sequence[Candidate], *, lexical_weight: float, limit: int
) -> list[FusedCandidate]:
    """The best `limit` of both legs, best first, by the weighted sum of scores that are scaled to 0-1.

    Each leg is scaled by its own best and worst (convex combination, Bruch et al. 2023); a point that one leg
    did not find gets nothing from it. Ties go to the id, so that pages do not change between calls.
    """
    dense_scores = {candidate.id: candidate.score for candidate in dense}
    lexical_scores = {candidate.id: candidate.score for candidate in lexical}
    fused = dict.fromkeys(dense_scores | lexical_scores, 0.0)
    for scores, weight in ((dense_scores, 1 - lexical_weight), (lexical_scores, lexical_weight)):
        for id, score in _scaled(scores).items():
            fused[id] += weight * score
    best = sorted(fused, key=lambda id: (-fused[id], id))[:limit]
    return [FusedCandidate(id, fused[id], dense_scores.get(id), lexical_scores.get(id)) for id in best]


def _scaled(scores: dict[str, float]) -> dict[str, float]:
    """0 for the worst to 1 for the best; 1 for all where they are equal."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {id: (score - low) / (high - low) for id, score in scores.items()}
