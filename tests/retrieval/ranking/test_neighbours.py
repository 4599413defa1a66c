from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from retrieval.ranking.neighbours import NEIGHBOURS, by_neighbours
from retrieval.ranking.query import Query
from retrieval.ranking.stage import Pool
from retrieval.types import FloatArray, FusedCandidate, SparseVector

WEST, EAST = np.array([1, 0], np.float32), np.array([0, 1], np.float32)


def ranked(scores: dict[str, float], vectors: dict[str, FloatArray], weight: float = 0.6) -> dict[str, float]:
    """The new scores, best first."""
    candidates = [FusedCandidate(id, score) for id, score in scores.items()]
    nothing = SparseVector(np.empty(0, np.uint32), np.empty(0, np.float32))
    query = Query("", (), 0, nothing, WEST, weight)
    pool = Pool({}, lambda ids: {id: vectors[id] for id in ids if id in vectors}, Unused())
    return {hit.id: hit.score for hit in by_neighbours(query, candidates, pool)}


class Unused:
    """Neighbours encode nothing."""

    name, dimensions = "", 2

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        raise AssertionError

    encode_passages = encode_queries


def test_a_candidate_among_good_ones_should_pass_a_lonely_one_that_is_as_good() -> None:
    scores = {"bad": 0.1, "lonely": 0.6, "among": 0.6, "good": 0.9}
    found = ranked(scores, {"bad": WEST, "lonely": WEST, "among": EAST, "good": EAST})
    assert list(found) == ["good", "among", "lonely", "bad"]
    assert 0.6 < found["among"] < found["good"] < 0.9
    assert found["lonely"] < 0.6


def test_of_two_the_better_one_should_stay_first() -> None:
    scores = {"good": 0.9, "bad": 0.8}
    found = ranked(scores, {"good": WEST, "bad": WEST}, 0.1)
    assert list(found) == ["good", "bad"]
    assert found["good"] - found["bad"] < 0.05


def test_only_the_nearest_should_count() -> None:
    """As many at the same place as count, and one beyond, however good."""
    vectors = {str(number): WEST for number in range(NEIGHBOURS + 1)}
    scores = dict.fromkeys(vectors, 0.5)
    far = np.array([0.6, 0.8], np.float32)
    assert ranked(scores | {"far": 1.0}, vectors | {"far": far})["0"] == pytest.approx(0.5)
    assert ranked(scores | {"far": 1.0}, vectors | {"far": WEST})["0"] > 0.5


def test_neighbours_should_count_as_much_as_the_space_in_which_they_are_near() -> None:
    scores, vectors = {"one": 1.0, "other": 0.0}, {"one": WEST, "other": WEST}
    differences = []
    for weight in (1.0, 0.8, 0.2):
        found = ranked(scores, vectors, weight)
        differences.append(found["one"] - found["other"])
    assert differences == sorted(differences, reverse=True)
    assert differences[0] == 1


def test_a_candidate_without_neighbours_or_vector_should_keep_its_score() -> None:
    scores = {"west": 0.9, "gone": 0.8, "east": 0.4, "blank": 0.3}
    found = ranked(scores, {"west": WEST, "east": EAST, "blank": np.zeros(2, np.float32)})
    assert found == pytest.approx(scores)
    assert ranked({"only": 0.7}, {"only": WEST}) == {"only": 0.7}
    assert ranked({}, {}) == {}


def test_equal_scores_should_be_in_the_order_of_their_ids() -> None:
    assert list(ranked({"b": 0.5, "a": 0.5}, {"a": WEST, "b": WEST})) == ["a", "b"]
