from __future__ import annotations

import random
from collections import Counter

from retrieval.types import Passage
from training.pairs import pairs_of, sample, sample_pairs, split_sentences

PASSAGE = Passage(
    title="Travel policy",
    heading="Travel > Trains and planes",
    text="Travel policy. Book trains two weeks ahead of the trip. Planes need the consent of your manager. "
    "Keep every receipt until you are paid.",
)


def test_pairs_of_should_take_the_query_out_of_its_passage() -> None:
    for pair in pairs_of(PASSAGE, 3, random.Random(0)):
        assert pair.group == 3
        if pair.query not in (PASSAGE.title, "Trains and planes"):
            assert pair.query not in pair.passage
            assert pair.passage.startswith("Travel policy\nTravel > Trains and planes\n")


def test_pairs_of_should_drop_a_sentence_that_repeats_the_title() -> None:
    by_query = {pair.query: pair.passage for pair in pairs_of(PASSAGE, 0, random.Random(0))}

    assert by_query["Travel policy"].startswith("Book trains")
    assert "Trains and planes" in by_query


def test_pairs_of_should_find_none_in_one_sentence_without_title() -> None:
    assert (
        list(pairs_of(Passage(text="compact memories have flexible capacities"), 0, random.Random(0))) == []
    )


def test_split_sentences_should_know_full_width_stops() -> None:
    assert split_sentences("梅雨は雨期である。日本の気象現象だ。 A line\nanother one. End") == [
        "梅雨は雨期である。",
        "日本の気象現象だ。",
        "A line",
        "another one.",
        "End",
    ]


def test_sample_pairs_should_respect_its_limit_and_seed() -> None:
    passages = [(i, PASSAGE) for i in range(20)]

    assert sample_pairs(passages, limit=10, seed=1) == sample_pairs(passages, limit=10, seed=1)
    assert len(sample_pairs(passages, limit=10, seed=1)) == 10


def test_sample_should_keep_every_item_as_likely_and_count_them_all() -> None:
    draws = [sample(iter(range(20)), 5, random.Random(seed)) for seed in range(2_000)]

    assert all(total == 20 and len(set(kept)) == 5 for kept, total in draws)
    kept = Counter(item for kept, _ in draws for item in kept)
    assert min(kept.values()) > 400 and max(kept.values()) < 600  # 500 each
    assert sample("abc", 5, random.Random(0)) == (["a", "b", "c"], 3)
