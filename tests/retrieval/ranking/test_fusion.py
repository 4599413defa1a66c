from __future__ import annotations

import pytest

from retrieval.ranking.fusion import ORDINARY_WORDS, FusionWeights, fuse, mean_weights
from retrieval.types import Candidate, FusedCandidate


def leg(**scores: float) -> list[Candidate]:
    return [Candidate(id, score) for id, score in scores.items()]


def ids(fused: list[FusedCandidate]) -> list[str]:
    return [candidate.id for candidate in fused]


def test_fusion_should_add_scaled_scores_by_weight() -> None:
    fused = fuse(leg(a=0.9, b=0.5, c=0.1), leg(b=30.0, d=10.0), lexical_weight=0.6, limit=10)
    assert ids(fused) == ["b", "a", "c", "d"]
    assert fused[0].score == pytest.approx(0.4 * 0.5 + 0.6 * 1.0)
    assert fused[1].score == pytest.approx(0.4)


def test_fusion_should_keep_the_scores_of_the_legs() -> None:
    best, other = fuse(leg(a=0.9, b=0.5), leg(a=12.0), lexical_weight=0.5, limit=10)
    assert (best.dense, best.lexical) == (0.9, 12.0)
    assert (other.dense, other.lexical) == (0.5, None)


@pytest.mark.parametrize(("weight", "order"), [(0.0, ["a", "b"]), (1.0, ["b", "a"])])
def test_a_weight_of_all_should_follow_one_leg(weight: float, order: list[str]) -> None:
    assert ids(fuse(leg(a=0.9, b=0.5), leg(b=3.0, a=1.0), lexical_weight=weight, limit=10)) == order


def test_fusion_should_serve_with_one_leg_or_none() -> None:
    assert ids(fuse(leg(a=0.9, b=0.5), [], lexical_weight=0.9, limit=10)) == ["a", "b"]
    assert ids(fuse([], leg(a=2.0), lexical_weight=0.1, limit=10)) == ["a"]
    assert fuse([], [], lexical_weight=0.5, limit=10) == []


def test_fusion_should_cut_at_the_limit_and_order_ties_by_id() -> None:
    assert ids(fuse(leg(c=1.0, b=1.0, a=1.0), [], lexical_weight=0.5, limit=2)) == ["a", "b"]


def test_a_passage_of_a_document_that_speaks_of_the_query_should_come_first() -> None:
    lexical = [
        Candidate("stray", 9.0, "other", 40),
        Candidate("b", 8.9, "on it", 3),
        Candidate("c", 8.0, "on it", 3),
        Candidate("d", 7.0, "on it", 3),
    ]
    assert ids(fuse([], lexical, lexical_weight=0.5, limit=10))[0] == "b"


def test_a_document_should_count_by_candidates_that_are_not_ranked_themselves() -> None:
    best = [Candidate("a", 9.0, "first", 3), Candidate("b", 9.0, "second", 3)]
    rest = [Candidate("c", 5.0, "second", 3), Candidate("d", 1.0, "third", 3)]
    assert ids(fuse([], best + rest, lexical_weight=0.5, limit=2)) == ["b", "a"]


def test_a_dense_candidate_should_get_the_score_of_its_document() -> None:
    dense = [Candidate("x", 0.9, "empty", 2), Candidate("y", 0.89, "rich", 2), Candidate("z", 0.1, "none", 2)]
    lexical = [
        Candidate("p", 3.0, "rich", 2),
        Candidate("q", 3.0, "rich", 2),
        Candidate("r", 1.0, "poor", 2),
    ]
    found = ids(fuse(dense, lexical, lexical_weight=0.2, limit=10))
    assert found.index("y") < found.index("x")


def test_documents_of_one_passage_should_add_nothing() -> None:
    alone = [Candidate(c.id, c.score, f"document of {c.id}", 1) for c in leg(a=9.0, b=5.0, c=1.0)]
    plain = fuse(leg(c=0.9, b=0.5), leg(a=9.0, b=5.0, c=1.0), lexical_weight=0.6, limit=10)
    assert fuse(leg(c=0.9, b=0.5), alone, lexical_weight=0.6, limit=10) == plain


def test_cjk_queries_should_lean_on_the_lexical_leg_however_long() -> None:
    weights = FusionWeights()
    japanese = weights.lexical("アインシュタインはどこで生まれましたか", 20)
    assert japanese > weights.lexical("where was einstein born", 6)
    assert japanese == weights.lexical("アインシュタイン", 5)


def test_korean_queries_should_have_a_weight_of_their_own_however_long() -> None:
    weights = FusionWeights(cjk=0.9, korean=0.6)
    assert weights.lexical("아인슈타인은 어디에서 태어났나요?", 20) == 0.6
    assert weights.lexical("2024年の売上高", 3) == 0.9


def test_lexical_weight_should_fall_with_the_number_of_terms() -> None:
    weights = FusionWeights(spaced=0.7)
    by_length = [weights.lexical("any words", terms) for terms in (2, ORDINARY_WORDS, 12, 40)]
    assert by_length == sorted(by_length, reverse=True)
    assert by_length[1] == pytest.approx(0.7)
    assert all(0 < weight < 1 for weight in by_length)


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_a_leg_that_counts_for_nothing_should_stay_so(weight: float) -> None:
    assert FusionWeights(spaced=weight).lexical("any words", 12) == weight


def test_query_without_terms_should_get_the_weight_as_it_is() -> None:
    assert FusionWeights(spaced=0.7).lexical("of the", 0) == 0.7


def test_query_over_several_libraries_should_get_their_mean_by_passages() -> None:
    small = FusionWeights(spaced=0.2, cjk=0.6, length_slope=1.0)
    large = FusionWeights(spaced=0.8, cjk=1.0, length_slope=2.0)
    mean = mean_weights([(100, small), (300, large)])
    assert (mean.spaced, mean.cjk, mean.length_slope) == pytest.approx((0.65, 0.9, 1.75))
    assert mean_weights([(5, small)]) == small
    assert mean_weights([]) == FusionWeights()
