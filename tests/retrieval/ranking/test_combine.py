from __future__ import annotations

import math

import pytest

from retrieval.ranking.combine import combine
from retrieval.types import FusedCandidate

FUSED = [FusedCandidate(id, score) for id, score in (("a", 0.9), ("b", 0.8), ("c", 0.2), ("d", 0.1))]


def order(scores: list[float], weight: float = 0.5) -> str:
    return "".join(candidate.id for candidate in combine(FUSED, scores, weight))


def test_combine_should_follow_the_reranker_alone_at_weight_one() -> None:
    assert order([1, 2, 3, 4], weight=1) == "dcba"


def test_combine_should_follow_the_first_stage_alone_at_weight_zero() -> None:
    assert order([1, 2, 3, 4], weight=0) == "abcd"


def test_combine_should_weigh_both() -> None:
    assert order([0, 0, 5, 0]) == "cabd"
    assert order([0, 0, 5, 0], weight=0.2) == "abcd"


def test_combine_should_not_depend_on_the_scale_of_either() -> None:
    assert order([10, 30, 20, 5]) == order([0.010, 0.030, 0.020, 0.005])


def test_combine_should_hardly_move_what_a_reranker_of_known_spread_cannot_tell_apart() -> None:
    scores = [0.00, 0.01, 0.03, 0.02]
    assert "".join(each.id for each in combine(FUSED, scores, 0.9)) == "cdba"
    assert "".join(each.id for each in combine(FUSED, scores, 0.9, spread=1.0)) == "abcd"
    usual = [100 * score for score in scores]
    assert "".join(each.id for each in combine(FUSED, usual, 0.9, spread=1.0)) == "cdba"


def test_combine_should_leave_unread_candidates_in_their_places() -> None:
    assert order([1, math.nan, 2, 3], weight=1) == "dbca"


def test_combine_should_keep_the_order_where_nothing_was_read_or_all_is_equal() -> None:
    assert order([math.nan] * 4) == "abcd"
    assert order([7.0] * 4) == "abcd"
    assert combine([], []) == []


def test_combine_should_refuse_scores_of_other_candidates() -> None:
    with pytest.raises(ValueError, match="3 scores for 4 candidates"):
        combine(FUSED, [1, 2, 3])


def test_combine_should_put_the_scored_above_those_for_whom_there_was_no_time() -> None:
    late = -math.inf
    assert order([1, 2, late, late], weight=1) == "bacd"
    assert order([-9, -8, late, late], weight=1) == "bacd"
    assert order([late, late, 1, 2], weight=1) == "dcab"
    assert order([late] * 4) == "abcd"


def test_combine_should_leave_the_unread_in_their_places_among_the_late() -> None:
    assert order([1, math.nan, 2, -math.inf], weight=1) == "cbad"
    assert order([math.nan, -math.inf, -math.inf, 3], weight=1) == "adbc"
