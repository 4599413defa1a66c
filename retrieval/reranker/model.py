"""A cross-encoder: pairs to tokens, tokens to padded batches, batches to scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from tokenizers import Tokenizer

from retrieval.reranker.card import RerankerCard
from retrieval.reranker.windows import IntArray, PairTokenizer, TokenizedPair, first_known
from retrieval.types import FloatArray


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
        self.card = card
        self.backend = backend
        self._tokenizer = PairTokenizer(tokenizer, card.max_length)
        self._pad_id = first_known(tokenizer, "[PAD]", "<pad>", otherwise=0)

    @property
    def name(self) -> str:
        return self.card.name

    def score(self, pairs: Sequence[tuple[str, str]]) -> FloatArray:
        """(pairs,) float32, higher is better: of a long passage, the score of its best window.

        NaN where a text is in a script that the model never saw.
        """
        return self.best(self.tokenize(pairs), len(pairs))

    def best(self, windows: Sequence[TokenizedPair], pairs: int) -> FloatArray:
        """(pairs,) the score of the best window of each, NaN where it has none."""
        ascending = sorted(windows, key=lambda window: len(window.ids))
        scores = np.full(pairs, np.nan, dtype=np.float32)
        for run in batches([len(window.ids) for window in ascending], self.backend.token_budget):
            batch = ascending[run.start : run.stop]
            np.fmax.at(scores, [window.place for window in batch], self.forward(batch))
        return scores

    def tokenize(self, pairs: Sequence[tuple[str, str]]) -> list[TokenizedPair]:
        """The pairs, those that exceed the model's window as several windows. Safe in any thread.

        What the model cannot read is left out.
        """
        return self._tokenizer.tokenize(pairs)

    def forward(self, windows: Sequence[TokenizedPair]) -> FloatArray:
        """The scores of one batch, (windows,)."""
        return self.backend.forward(self.batch(windows))

    def batch(self, windows: Sequence[TokenizedPair]) -> Batch:
        """The windows, padded to the longest of them."""
        lengths = np.array([len(window.ids) for window in windows])[:, None]
        heads = np.array([window.head for window in windows])[:, None]
        column = np.arange(lengths.max())
        used = column < lengths
        ids = np.full(used.shape, self._pad_id, np.int64)
        ids[used] = np.concatenate([window.ids for window in windows])
        types = np.where(column < heads, *self._tokenizer.types) * used
        return Batch(ids, types, used.astype(np.int64))


def batches(lengths: Sequence[int], token_budget: int) -> Iterator[range]:
    """Cut ascending lengths into runs of which none, padded to its longest, exceeds the budget."""
    start = 0
    for end, length in enumerate(lengths):
        if end > start and (end - start + 1) * length > token_budget:
            yield range(start, end)
            start = end
    if start < len(lengths):
        yield range(start, len(lengths))
