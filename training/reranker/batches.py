"""Batches of examples, as tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.reranker.examples import Example, Examples
from training.reranker.tokens import Ids, by_length, joined, plain_tokenizer, text_ids

QUERY_TOKENS, PASSAGE_TOKENS = 32, 112
EXAMPLES = 48  # in a batch
SIMILAR = 24  # passages of a batch that BM25 found for its queries
UNSEEN = 32  # held-out examples in a batch


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of all texts: [CLS] text [SEP], long ones cut."""

    queries: Sequence[Ids]
    passages: Sequence[Ids]

    @classmethod
    def of(cls, folder: Path, examples: Examples) -> Tokens:
        """Make tokens with the tokenizer of the model in `folder`."""
        tokenizer = plain_tokenizer(folder)
        return cls(
            text_ids(tokenizer, examples.queries, QUERY_TOKENS),
            text_ids(tokenizer, examples.passages, PASSAGE_TOKENS),
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Tokens of its texts, and for each query the place of its passage."""

    queries: Sequence[Ids]
    passages: Sequence[Ids]
    own: Tensor

    @classmethod
    def of(cls, examples: Sequence[Example], similar: Sequence[int], tokens: Tokens) -> Batch:
        """`similar`: numbers of passages that answer none of the queries."""
        asked = [(query, place) for place, example in enumerate(examples) for query in example.queries]
        shown = [*(example.passage for example in examples), *similar]
        return cls(
            [tokens.queries[query] for query, _ in asked],
            [tokens.passages[number] for number in shown],
            torch.tensor([place for _, place in asked]),
        )


def batches(examples: Sequence[Example], tokens: Tokens, steps: int, *, seed: int) -> Iterator[Batch]:
    """So many, each example once before any comes again."""
    random = np.random.default_rng(seed)
    order = np.empty(0, dtype=np.intp)
    for _ in range(steps):
        if len(order) < min(EXAMPLES, len(examples)):
            order = random.permutation(len(examples))
        chosen, order = [examples[number] for number in order[:EXAMPLES]], order[EXAMPLES:]
        origins = {example.origin for example in chosen}
        others = [[number for number in example.similar if number not in origins] for example in chosen]
        drawn = [numbers[int(random.integers(len(numbers)))] for numbers in others if numbers]
        yield Batch.of(chosen, list(dict.fromkeys(drawn))[:SIMILAR], tokens)


def unseen_batches(examples: Examples, tokens: Tokens) -> list[Batch]:
    """Ten of 32 held-out passages each, with their queries and what BM25 found for them."""
    chosen, made = np.random.default_rng(1).permutation(len(examples.unseen))[: 10 * UNSEEN], []
    for part in np.array_split(chosen, -(-len(chosen) // UNSEEN)):
        some = [examples.unseen[number] for number in part]
        own = {example.origin for example in some}
        similar = [number for example in some for number in example.similar[:3] if number not in own]
        made.append(Batch.of(some, list(dict.fromkeys(similar)), tokens))
    return made


def calibration(examples: Examples, tokens: Tokens, count: int = 576) -> list[dict[str, Tensor]]:
    """Pairs to fit layers on, about 60,000 tokens: queries with their passages, and with similar ones."""
    random = np.random.default_rng(2)
    chosen = [examples.learned[number] for number in random.permutation(len(examples.learned))[: count // 2]]
    pairs = [
        (tokens.queries[random.choice(example.queries)], tokens.passages[number])
        for example in chosen
        for number in (example.passage, *example.similar[:1])
    ]
    return [joined([pairs[place] for place in part]) for part in by_length([passage for _, passage in pairs])]
