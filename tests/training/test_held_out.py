from __future__ import annotations

import numpy as np
import pytest

from retrieval.types import Passage
from tests.training.support import WORDS, tiny_model
from training.bags import BagMaker
from training.held_out import HeldOut
from training.pairs import SelfPair
from training.scoring import ranks
from training.static_model import StaticModel


@pytest.fixture
def model() -> StaticModel:
    return tiny_model()


@pytest.fixture
def test_set(model: StaticModel) -> HeldOut:
    """Ten passages of one word each, asked for by another word; five more beside them."""
    passages = list(enumerate(Passage(WORDS[i], title=f"Title {i}") for i in range(15)))
    pairs = [SelfPair(WORDS[100 + i], WORDS[i], i) for i in range(10)]
    return HeldOut.of(BagMaker(model.tokenizer), pairs, passages[:10], passages[10:])


def matched(model: StaticModel) -> np.ndarray:  # type: ignore[type-arg]
    """The table with each asking word where its passage's word is."""
    table = model.table.copy()
    token = model.tokenizer.token_to_id
    for i in range(10):
        table[token(WORDS[100 + i])] = table[token(WORDS[i])]
    return table


def test_ranks_should_count_from_one_and_ties_half() -> None:
    passages = np.eye(4, dtype=np.float32)
    queries = np.array([[1, 0, 0, 0], [1, 0.5, 0, 0], [0, 0, 0, 0]], dtype=np.float32)
    assert ranks(queries, passages, np.arange(3)).tolist() == [1, 2, 2.5]


def test_quality_should_say_how_well_a_table_ranks(test_set: HeldOut, model: StaticModel) -> None:
    before, after = (test_set.qualities(table, [64])[64] for table in (model.table, matched(model)))
    assert (after.ndcg_at_10, after.mrr_at_10) == (1, 1)
    assert before.ndcg_at_10 < 1


def test_examples_should_be_the_queries_that_moved_most(test_set: HeldOut, model: StaticModel) -> None:
    examples = test_set.examples(model.table, matched(model))
    assert 0 < len(examples) <= 6
    assert all(example.after == 1 < example.before for example in examples)
    moves = [example.before / example.after for example in examples]
    assert moves == sorted(moves, reverse=True)
    place = int(examples[0].title.removeprefix("Title "))
    assert (examples[0].query, examples[0].passage) == (WORDS[100 + place], WORDS[place])


def test_nothing_that_stayed_should_be_an_example(test_set: HeldOut, model: StaticModel) -> None:
    assert test_set.examples(model.table, model.table) == []
