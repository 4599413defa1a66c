"""English text that every Python brings along: the language reference, cut and shuffled into passages."""

from __future__ import annotations

import random
import re
from functools import cache
from pydoc_data import topics

WORDS = 180  # a passage of the product's default size


def passages(count: int, seed: int = 0) -> list[str]:
    """Passages of about 180 words, each of sentences drawn at random; the same at every call."""
    drawn = random.Random(seed)
    return [_passage(drawn) for _ in range(count)]


def queries(count: int, seed: int = 1) -> list[str]:
    """Six words in a row from a random sentence each; the same at every call."""
    drawn = random.Random(seed)
    long = [words for sentence in _sentences() if len(words := sentence.split()) >= 6]
    starts = ((words, drawn.randrange(len(words) - 5)) for words in drawn.choices(long, k=count))
    return [" ".join(words[start : start + 6]) for words, start in starts]


def _passage(drawn: random.Random) -> str:
    sentences: list[str] = []
    length = 0
    while length < WORDS:
        sentences.append(drawn.choice(_sentences()))
        length += len(sentences[-1].split())
    return " ".join(sentences)


@cache
def _sentences() -> list[str]:
    text = "\n\n".join(topics.topics[name] for name in sorted(topics.topics))
    sentences = (" ".join(sentence.split()) for sentence in re.split(r"(?<=[.:])\s+|\n\n", text))
    return [sentence for sentence in sentences if 4 <= len(sentence.split()) <= 60]  # no tables
