"""A tiny real static model, and a corpus in which each passage has a subject of its own."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from retrieval.types import Passage
from training.base.vocabulary import UNKNOWN, build_tokenizer
from training.static_model import StaticModel, write_model

SUBJECTS = 40
WORDS = [f"word{letter}{i}" for letter in "abcdef" for i in range(SUBJECTS)]
FILLERS = ["the", "of", "and", "is", "in", "to", "for", "on"]


def tiny_model(dimensions: int = 64) -> StaticModel:
    pieces = [UNKNOWN, *FILLERS, *WORDS, "."]
    table = np.random.default_rng(0).normal(0, 1, (len(pieces), dimensions)).astype(np.float32)
    table[0] = 0
    return StaticModel(build_tokenizer(pieces), table)


def write_tiny_model(folder: Path) -> str:
    write_model(tiny_model(), folder)
    return str(folder)


def corpus(passages: int) -> list[list[Passage]]:
    """Documents of one passage: sentences about one of 40 subjects, each with two of its six words."""
    random_ = random.Random(0)
    return [
        [Passage(text=" ".join(_sentence(i % SUBJECTS, random_) for _ in range(4)))] for i in range(passages)
    ]


def _sentence(subject: int, random_: random.Random) -> str:
    own = [WORDS[subject + SUBJECTS * part] for part in random_.sample(range(6), 2)]
    words = [*own, *random_.sample(FILLERS, 4)]
    random_.shuffle(words)
    return " ".join(words) + "."
