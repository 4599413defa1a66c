from __future__ import annotations

import math

import numpy as np
import pytest

from retrieval.frequencies import Frequencies, count, idf, languages_of, merge
from retrieval.lexical import Lexical, query_terms
from retrieval.types import Passage

ONE = [Passage("The dog barks at the dog."), Passage("Cats sleep.", language="en")]
OTHER = [Passage("Ein Hund bellt.", language="de"), Passage("Dogs sleep.", language="ko")]


def counted(passages: list[Passage]) -> Frequencies:
    return count(Lexical().passages(passages), [passage.language for passage in passages])


def weights(words: str, *parts: Frequencies) -> list[float]:
    return [float(idf(query_terms(word, ["en"]).ids, parts)[0]) for word in words.split()]


def test_idf_should_be_that_of_the_passages_of_all_parts() -> None:
    expected = [math.log(1 + (4 - holding + 0.5) / (holding + 0.5)) for holding in (2, 1, 0)]
    assert weights("dogs cats zebras", counted(ONE), counted(OTHER)) == pytest.approx(expected)
    assert weights("dogs cats zebras", counted(ONE + OTHER)) == pytest.approx(expected)


def test_merged_parts_should_count_as_all_of_them() -> None:
    merged, whole = merge([counted(ONE), counted(OTHER)]), counted(ONE + OTHER)
    assert (merged.passages, merged.languages) == (whole.passages, whole.languages)
    np.testing.assert_array_equal(merged.terms, whole.terms)
    np.testing.assert_array_equal(merged.counts, whole.counts)


def test_what_is_taken_out_again_should_leave_nothing() -> None:
    left = merge([counted(ONE), counted(OTHER), -counted(ONE)])
    assert languages_of([counted(ONE), counted(OTHER), -counted(ONE)]) == {"de", "en"}
    assert (left.passages, len(left.terms)) == (2, len(counted(OTHER).terms))
    nothing = merge([left, -counted(OTHER)])
    assert (nothing.passages, len(nothing.terms), languages_of([nothing])) == (0, 0, set())


def test_languages_should_be_those_that_passages_are_stemmed_by() -> None:
    assert languages_of([counted(OTHER)]) == {"de", "en"}
    assert languages_of([]) == set()


def test_bytes_should_hold_all_of_it() -> None:
    for part in (counted(ONE), -counted(OTHER), counted([])):
        read = Frequencies.from_bytes(part.passages, dict(part.languages), part.to_bytes())
        assert (read.passages, read.languages) == (part.passages, part.languages)
        np.testing.assert_array_equal(read.terms, part.terms)
        np.testing.assert_array_equal(read.counts, part.counts)


def test_weights_should_be_finite_whatever_was_miscounted() -> None:
    """Counts may drift: more passages may hold a term than there are, or fewer than none."""
    for parts in ([], [-counted(ONE)], [counted(ONE), -counted(OTHER), -counted(OTHER)]):
        assert all(0 <= weight < 10 for weight in weights("dogs cats", *parts))
