"""A cross-encoder: pairs to tokens, tokens to padded batches, batches to scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from retrieval.reranker.card import RerankerCard
from retrieval.types import FloatArray

IntArray = NDArray[np.int64]

# Beyond this share of unknown tokens a text is in a script that the model never saw.
MAX_UNKNOWN = 0.3


@dataclass(frozen=True, slots=True)
class TokenizedPair:
    """One (query, passage) as the model reads it. `readable`: few of the tokens of either are unknown."""

    ids: IntArray
    type_ids: IntArray
    readable: bool

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Batch:
    """Pairs padded to the longest of them; each array is (pairs, longest)."""

    input_ids: IntArray
    token_type_ids: IntArray
    attention_mask: IntArray


class Backend(Protocol):
    """What runs the network."""

    token_budget: int  # padded tokens of a batch, beyond which batching no longer pays

    def forward(self, batch: Batch) -> FloatArray:
        """Raw logits, (pairs,): higher is better, scales differ between models."""


class Reranker:
    """A cross-encoder with its tokenizer. `score` may be called from one thread at a time only."""

    def __init__(self, card: RerankerCard, tokenizer: Tokenizer, backend: Backend) -> None:
        tokenizer.no_padding()
        tokenizer.enable_truncation(card.max_length)
        self.card = card
        self.backend = backend
        self._tokenizer = tokenizer
        self._pad_id = _first_known(tokenizer, "[PAD]", "<pad>")
        self._unknown_id = _first_known(tokenizer, "[UNK]", "<unk>")

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def languages(self) -> frozenset[str]:
        return self.card.languages

    @property
    def weight(self) -> float:
        return self.card.weight

    def score(self, pairs: Sequence[tuple[str, str]]) -> FloatArray:
        """(pairs,) float32, higher is better; NaN where a text is in a script that the model never saw."""
        tokenized = self.tokenize(pairs)
        scores = np.full(len(tokenized), np.nan, dtype=np.float32)
        readable = [i for i, pair in enumerate(tokenized) if pair.readable]
        readable.sort(key=lambda i: len(tokenized[i]))
        for places in batches([len(tokenized[i]) for i in readable], self.backend.token_budget):
            chosen = [readable[place] for place in places]
            scores[chosen] = self.forward([tokenized[i] for i in chosen])
        return scores

    def tokenize(self, pairs: Sequence[tuple[str, str]]) -> list[TokenizedPair]:
        """Pairs cut to the model's window, the longer text first. Safe in any thread."""
        clean = [(_valid(query), _valid(passage)) for query, passage in pairs]
        return [self._pair(encoding) for encoding in self._tokenizer.encode_batch(clean)]

    def forward(self, pairs: Sequence[TokenizedPair]) -> FloatArray:
        """The scores of one batch, (pairs,), padded to its longest pair."""
        shape = (len(pairs), max(len(pair) for pair in pairs))
        batch = Batch(
            np.full(shape, self._pad_id, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        )
        for row, pair in enumerate(pairs):
            batch.input_ids[row, : len(pair)] = pair.ids
            batch.token_type_ids[row, : len(pair)] = pair.type_ids
            batch.attention_mask[row, : len(pair)] = 1
        return self.backend.forward(batch)

    def _pair(self, encoding: Encoding) -> TokenizedPair:
        ids = np.array(encoding.ids, dtype=np.int64)
        sides = np.array([-1 if side is None else side for side in encoding.sequence_ids])
        unknown = ids == self._unknown_id
        readable = all(
            unknown[sides == side].mean() <= MAX_UNKNOWN for side in (0, 1) if (sides == side).any()
        )
        return TokenizedPair(ids, np.array(encoding.type_ids, dtype=np.int64), readable)


def batches(lengths: Sequence[int], token_budget: int) -> Iterator[range]:
    """Cut ascending lengths into runs of which none, padded to its longest, exceeds the budget."""
    start = 0
    for end, length in enumerate(lengths):
        if end > start and (end - start + 1) * length > token_budget:
            yield range(start, end)
            start = end
    if start < len(lengths):
        yield range(start, len(lengths))


def _first_known(tokenizer: Tokenizer, *tokens: str) -> int:
    ids = (tokenizer.token_to_id(token) for token in tokens)
    return next((id for id in ids if id is not None), -1)


def _valid(text: str) -> str:
    """Lone surrogates are no Unicode text, and the tokenizer refuses them."""
    return text.encode("utf-8", "replace").decode("utf-8")
