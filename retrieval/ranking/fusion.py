"""Two ranked lists to one, by weighted scores."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields

from retrieval.lexical import is_cjk, is_korean
from retrieval.ranking.documents import document_scores, document_weight
from retrieval.types import Candidate, FusedCandidate

# Words of an ordinary query, at which the weights hold as they are.
ORDINARY_WORDS = 6


@dataclass(frozen=True, slots=True)
class FusionWeights:
    """How much the lexical leg counts, 0 to 1; the dense leg counts the rest.

    The defaults are for a model that has not learned the corpus. `training/calibrate.py` fits them to one.
    """

    spaced: float = 0.73  # languages written with spaces between words
    cjk: float = 0.95  # Chinese, Japanese: bigrams are strong, a small static model is weak
    korean: float = 0.7  # bigrams across the endings of words are weaker
    # How fast the weight falls, in logits, with the logarithm of the number of words: each word of a long
    # query says less by itself. Bigrams are not words, so that CJK queries keep their weight.
    length_slope: float = 1.0

    def lexical(self, query: str, words: int) -> float:
        """Return the weight for a query of so many distinct words that are no stop words."""
        if (script := script_of(query)) != "spaced":
            return float(getattr(self, script))
        if not words or not 0 < self.spaced < 1:
            return self.spaced
        logit = math.log(self.spaced / (1 - self.spaced))
        return 1 / (1 + math.exp(self.length_slope * math.log(words / ORDINARY_WORDS) - logit))


def script_of(query: str) -> str:
    """Return the field of `FusionWeights` that a query goes by."""
    if is_korean(query):
        return "korean"
    return "cjk" if is_cjk(query) else "spaced"


DEFAULT_WEIGHTS = FusionWeights()
LEARNED_WEIGHTS = FusionWeights(spaced=0.58)  # for a model that has learned the corpus


def mean_weights(parts: Sequence[tuple[int, FusionWeights]]) -> FusionWeights:
    """Those of several corpora, each given with its number of passages, for a query over all of them.

    One weight for all candidates of a query keeps their scores comparable. The defaults where there are none.
    """
    total = sum(passages for passages, _ in parts)
    if not total:
        return DEFAULT_WEIGHTS

    def mean(field: str) -> float:
        return sum(passages / total * float(getattr(weights, field)) for passages, weights in parts)

    return FusionWeights(**{each.name: mean(each.name) for each in fields(FusionWeights)})


def fuse(
    dense: Sequence[Candidate], lexical: Sequence[Candidate], *, lexical_weight: float, limit: int
) -> list[FusedCandidate]:
    """The best `limit` of both legs, best first, by the weighted sum of scores that are scaled to 0-1.

    Each leg is scaled by its own best and worst (convex combination, Bruch et al. 2023); a point that one leg
    did not find gets nothing from it. The score of its document, scaled in the same way, is added. Ties go to
    the id, so that pages do not change between calls.

    Args:
        dense: candidates of the dense leg, best first.
        lexical: those of the lexical leg. The first `limit` of them are ranked; the others say what their
            documents hold.
        lexical_weight: how much the lexical leg counts against the dense one, 0 to 1.
        limit: how many are returned.
    """
    dense_scores = {candidate.id: candidate.score for candidate in dense}
    lexical_scores = {candidate.id: candidate.score for candidate in lexical[:limit]}
    documents, document_share = _scaled(document_scores(lexical)), document_weight(lexical)
    fused = {
        candidate.id: document_share * documents.get(candidate.document, 0.0)
        for candidate in (*dense, *lexical[:limit])
    }
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
