from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest

from retrieval.reranker.plan import FIRST, LEVELS, WHOLE, Piece, Waiting, has_room, plan

PACE = 0.001  # seconds for a token
BUDGET = 4000


def waiting(*whole: int, read: int = 0, seconds: float = math.inf) -> Waiting:
    """A search with candidates of so many tokens, of which 30 are the query and the shortest excerpt."""
    lengths = np.array(whole)
    return Waiting(lengths, np.minimum(lengths, 30), read, seconds)


def page(**fields: Any) -> Waiting:
    return waiting(*[200] * 20, **fields)


def tokens_of(search: Waiting, level: tuple[int, int]) -> int:
    return int(search.costs(level).sum())


def test_with_enough_time_everything_should_be_read_whole_in_one_run() -> None:
    for search in (page(), page(seconds=100)):
        assert plan([search], PACE, BUDGET).run == [Piece(0, 5, WHOLE), Piece(0, 15, WHOLE)]


def test_while_the_pace_is_unknown_everything_should_be_tried() -> None:
    assert sum(piece.candidates for piece in plan([page(seconds=1)], 0.0, BUDGET).run) == 20


def test_levels_should_ask_for_more_and_more_of_any_search() -> None:
    for search in (page(), waiting(40, 400, 90, 250, 30, 300, 33), waiting(500)):
        asked = [tokens_of(search, level) for level in LEVELS]
        assert asked == sorted(asked) and asked[-1] == search.whole.sum()


class Reading(NamedTuple):
    """What the model read of a search in a run; how much of it was read before; when the run ended."""

    piece: Piece
    before: int
    ended: float


def read_all(searches: list[Waiting], pace: float = PACE, believed: float = PACE) -> list[Reading]:
    """Run after run by a model that takes so long for a token, until all searches are over."""
    read, now, readings = [each.read for each in searches], 0.0, []
    while True:
        left = [
            Waiting(each.whole[n - each.read :], each.least[n - each.read :], n, each.seconds - now)
            for each, n in zip(searches, read, strict=True)
        ]
        run, over = plan(left, believed, BUDGET)
        if not run:
            assert len(over) == len(searches)
            return readings
        for piece in run:
            start = read[piece.search] - searches[piece.search].read
            taken = searches[piece.search].whole[start : start + piece.candidates]
            now += float(np.minimum(taken, piece.tokens).sum()) * pace
        for piece in run:
            readings.append(Reading(piece, read[piece.search], now))
            read[piece.search] += piece.candidates


def depths(searches: list[Waiting], readings: list[Reading]) -> list[int]:
    """How many candidates of each were read in time."""
    in_time = [each for each in readings if each.ended <= searches[each.piece.search].seconds]
    return [
        sum(each.piece.candidates for each in in_time if each.piece.search == number)
        for number in range(len(searches))
    ]


@pytest.mark.parametrize("seconds", [0.5, 0.7, 1.0, 1.5, 2.5, 4.0, 6.0])
def test_a_search_should_use_the_time_that_it_has_and_no_more(seconds: float) -> None:
    searches = [page(seconds=seconds)]
    readings = read_all(searches)
    (depth,) = depths(searches, readings)
    assert depth == sum(each.piece.candidates for each in readings), "something came too late"
    assert depth == 20 if seconds > 1.2 else depth >= FIRST
    assert readings[-1].ended >= 0.5 * seconds or readings[-1].piece.tokens == WHOLE


def test_the_first_five_should_come_in_time_from_a_model_three_times_as_slow_as_believed() -> None:
    for seconds in (1.0, 2.0, 5.0):
        searches = [page(seconds=seconds)]
        assert depths(searches, read_all(searches, pace=3 * PACE))[0] >= FIRST


def test_every_search_should_get_its_first_five_before_any_gets_its_twentieth() -> None:
    readings = read_all([page(seconds=9), page(seconds=9), page(seconds=11), page(seconds=100)])
    first = max(place for place, each in enumerate(readings) if each.before < FIRST)
    more = min(place for place, each in enumerate(readings) if each.before >= FIRST)
    assert first < more
    assert [each.piece.search for each in readings if each.before == 0] == [0, 1, 2, 3]


def test_the_most_pressing_should_go_first() -> None:
    assert plan([page(), page(seconds=3), page(seconds=2)], PACE, BUDGET).run[0].search == 2
    assert plan([page(read=5, seconds=2), page(seconds=3)], PACE, BUDGET).run[0].search == 1


def test_under_load_depth_should_shrink_before_anybody_is_left_out() -> None:
    least = []
    for number in (1, 2, 4, 8, 12):
        searches = [page(seconds=3.5)] * number
        found = depths(searches, read_all(searches))
        assert min(found) >= FIRST
        least.append(sum(found) / number)
    assert least == sorted(least, reverse=True) and least[0] == 20 and least[-1] < 8


def test_who_has_more_time_should_get_more_of_it() -> None:
    readings = read_all([page(seconds=1.2), page(seconds=1.2), page(seconds=60)])
    assert {each.piece.tokens for each in readings if each.piece.search == 2} == {WHOLE}
    assert max(each.piece.tokens for each in readings if each.piece.search == 0) < 200


def test_a_search_of_which_nothing_can_be_read_in_time_should_be_over() -> None:
    late, soon = page(seconds=0.02), page(seconds=2)
    run, over = plan([soon, late], PACE, BUDGET)
    assert over == [1] and {piece.search for piece in run} == {0}


def test_where_there_is_time_for_none_the_most_pressing_should_be_tried() -> None:
    """Else a model that hung once would be believed to be slow for ever."""
    poor = 100.0
    tried = plan([page(seconds=3), page(seconds=2), page(seconds=-0.1)], poor, BUDGET)
    assert tried == ([Piece(1, 1, LEVELS[0][1])], [2, 0])
    assert plan([page(read=FIRST, seconds=2)], poor, BUDGET) == ([], [0])


def test_a_search_that_has_what_the_others_leave_it_should_be_over() -> None:
    done = Waiting(np.full(15, 200), np.full(15, 30), 5, 1.0)
    run, over = plan([done, *[page(seconds=1.0)] * 10], PACE, BUDGET)
    assert over == [0] and run


def test_a_run_should_take_one_candidate_at_least_and_the_budget_at_most() -> None:
    assert plan([waiting(9000, 9000)], PACE, BUDGET).run == [Piece(0, 1, WHOLE)]
    assert plan([page()], PACE, 450).run == [Piece(0, 2, WHOLE)]


def test_a_newcomer_should_have_room_until_the_first_five_of_all_cannot_be_read() -> None:
    least = FIRST * LEVELS[0][1] * PACE
    newcomer = page(seconds=4.5 * least)
    assert has_room(newcomer, [page(seconds=4.4 * least)] * 3, PACE)
    assert not has_room(newcomer, [page(seconds=4.4 * least)] * 4, PACE)
    assert has_room(newcomer, [page(seconds=100 * least)] * 4, PACE), "who has more time can wait"
    assert has_room(page(seconds=0.001), [], PACE), "a lone search is tried"
