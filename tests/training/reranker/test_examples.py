"""What the cross-encoder learns from."""

from __future__ import annotations

import pytest

from training.base.sources import Pair
from training.reranker.examples import FREQUENT, LABELS, SENTENCES, SIMILAR, Example, Examples, make_examples
from training.reranker.held_out import held_out, shortened


def passage(number: int) -> str:
    return " ".join(f"Thing {number} has part {part} of kind k{number % 7}." for part in range(12))


@pytest.fixture(scope="module")
def examples() -> Examples:
    pairs = [Pair(f"what is thing {number}", passage(number)) for number in range(300)]
    pairs += [Pair("Overview", passage(number)) for number in range(FREQUENT + 1)]
    pairs += [Pair(f"thing 0 by name {name}", passage(0)) for name in range(LABELS + 2)]
    return make_examples([pairs[:150], pairs[150:]])


def test_a_passage_should_not_hold_the_sentences_that_ask_for_it(examples: Examples) -> None:
    for example in examples.learned:
        text = examples.passages[example.passage]
        own = [examples.queries[number] for number in example.queries]
        asked = [query for query in own if "part" in query]
        assert 1 <= len(asked) <= SENTENCES
        for query in asked:
            assert query not in text
            assert query in examples.passages[example.origin]
        assert text.count("has part") == 12 - SENTENCES


def test_a_long_sentence_should_ask_as_a_whole_and_by_some_of_its_words() -> None:
    def sentence(number: int, part: int) -> str:
        return f"In the long run thing {number} needs part {part} of kind k{number + part} more than others."

    pairs = [
        Pair(f"what is thing {number}", " ".join(sentence(number, part) for part in range(4)))
        for number in range(40)
    ]
    examples = make_examples([pairs])
    for example in examples.learned:
        _, *own = [examples.queries[number] for number in example.queries]
        assert len(own) == 4  # of two sentences
        for whole, some in zip(own[::2], own[1::2], strict=True):
            assert some in whole
            assert 3 <= len(some.split()) <= 12 < len(whole.split())


def test_queries_should_be_the_datas_that_say_something(examples: Examples) -> None:
    assert "Overview" not in examples.queries
    every = [*examples.learned, *examples.unseen]
    for number in range(300):
        owners = [example for example in every if examples.passages[example.origin] == passage(number)]
        assert len(owners) == 1
        given = [examples.queries[query] for query in owners[0].queries]
        assert f"what is thing {number}" in given
        assert sum("part" not in query for query in given) == (LABELS if number == 0 else 1)


def test_nobody_should_learn_from_a_held_out_passage(examples: Examples) -> None:
    def unseen(example: Example) -> bool:
        return bool(held_out([examples.passages[example.origin]])[0])

    assert examples.unseen
    assert all(unseen(example) for example in examples.unseen)
    assert not any(unseen(example) for example in examples.learned)
    hidden = {example.origin for example in examples.unseen}
    for example in examples.learned:
        assert 0 < len(example.similar) <= SIMILAR
        assert not {*example.similar} & (hidden | {example.origin})


def test_the_same_seed_should_give_the_same_examples() -> None:
    sources = [[Pair(f"thing {number}", passage(number)) for number in range(40)]]
    assert make_examples(sources, seed=3) == make_examples(sources, seed=3)
    assert make_examples(sources, seed=3).queries != make_examples(sources, seed=4).queries


def test_held_out_should_not_depend_on_white_space_or_what_follows_the_chunk() -> None:
    words = [f"word{number}" for number in range(200)]
    assert held_out([" ".join(words[:180])])[0] == held_out(["\n ".join(words)])[0]
    assert shortened("a\n  b") == "a b"
