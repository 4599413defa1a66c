"""What the cross-encoder learns from: passages, queries that they answer, and others that look like them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from retrieval.types import Passage
from training.base.sources import Pair
from training.bm25 import Bm25
from training.pairs import is_informative, split_sentences
from training.reranker.held_out import held_out, shortened

FREQUENT = 3  # "Overview" and its like say nothing about the passage
LABELS = 2  # queries of a passage that the data give
SENTENCES = 4  # of a passage that are asked, at most half of it
LONGEST = 40  # words of a sentence in place of a query
SIMILAR = 6
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Example:
    """Numbers of texts: a passage as it is read, its queries, and the passages to tell it from.

    `origin`: the passage that it was cut from, or itself.
    """

    passage: int
    origin: int
    queries: tuple[int, ...]
    similar: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Examples:
    """`unseen`: held-out passages with the queries of the data. Nobody learns from them, in any role."""

    queries: Sequence[str]
    passages: Sequence[str]
    learned: Sequence[Example]
    unseen: Sequence[Example]


def make_examples(sources: Sequence[Sequence[Pair]], *, seed: int = 0) -> Examples:
    """One example of each passage, whatever asks for it; the same seed gives the same ones.

    A passage's own sentences, and a few words in a row of each, are queries as well: the passage is then
    read without them, or word overlap alone would be learned (inverse cloze: Lee, Chang and Toutanova 2019).
    What BM25 finds for one of its queries are the passages to tell it from.
    """
    draw = random.Random(seed)
    asked = Counter(pair.query for source in sources for pair in source)
    labelled: dict[str, list[str]] = {}
    for pair in (pair for source in sources for pair in source if asked[pair.query] <= FREQUENT):
        labelled.setdefault(shortened(pair.positive), []).append(pair.query)
    queries: list[str] = []
    passages = list(labelled)
    learned: list[Example] = []
    unseen: list[Example] = []
    for origin, out in enumerate(held_out(passages).tolist()):
        text = passages[origin]
        own = labelled[text][:LABELS]
        number = origin
        if not out:
            sentences, rest = _cloze(text, draw)
            own = own + sentences
            if sentences:
                number = len(passages)
                passages.append(rest)
        example = Example(number, origin, tuple(range(len(queries), len(queries) + len(own))))
        (unseen if out else learned).append(example)
        queries += own
    examples = Examples(queries, passages, learned, unseen)
    return _with_similar(examples, passages[: len(labelled)], draw)


def _cloze(passage: str, draw: random.Random) -> tuple[list[str], str]:
    """Some of its sentences, a few words of each as well, and the rest of the passage."""
    sentences = split_sentences(passage)
    whole = [
        place
        for place, sentence in enumerate(sentences)
        if is_informative(sentence, least=4) and len(sentence.split()) <= LONGEST
    ]
    taken = draw.sample(whole, min(SENTENCES, len(whole), len(sentences) // 2))
    rest = " ".join(sentence for place, sentence in enumerate(sentences) if place not in taken)
    return [query for place in taken for query in _asked(sentences[place], draw)], rest


def _asked(sentence: str, draw: random.Random) -> list[str]:
    """The sentence, and of a longer one three to twelve words in a row."""
    words = sentence.split()
    if len(words) <= 8:
        return [sentence]
    size = draw.randint(3, min(12, len(words)))
    start = draw.randrange(len(words) - size + 1)
    return [sentence, " ".join(words[start : start + size])]


def _with_similar(examples: Examples, passages: Sequence[str], draw: random.Random) -> Examples:
    """`passages`: the whole ones."""
    texts = [Passage(text) for text in passages]
    bm25 = Bm25(texts)
    unseen = {example.origin for example in examples.unseen}

    def found(some: Sequence[Example], hidden: set[int]) -> list[Example]:
        made = []
        for start in range(0, len(some), _CHUNK):
            part = some[start : start + _CHUNK]
            scores = bm25.scores([examples.queries[draw.choice(example.queries)] for example in part])
            best = np.argpartition(-scores, 2 * SIMILAR, axis=1)[:, : 2 * SIMILAR]
            order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
            for example, numbers in zip(part, np.take_along_axis(best, order, axis=1).tolist(), strict=True):
                similar = [number for number in numbers if number not in hidden | {example.origin}]
                made.append(replace(example, similar=tuple(similar[:SIMILAR])))
        return made

    return replace(examples, learned=found(examples.learned, unseen), unseen=found(examples.unseen, set()))
