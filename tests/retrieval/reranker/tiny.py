"""A real reranker without weights: a word tokenizer, and a backend that counts shared tokens."""

from __future__ import annotations

import threading

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from retrieval.reranker import Reranker, RerankerCard
from retrieval.reranker.errors import RerankerUnavailableError
from retrieval.reranker.model import Batch
from retrieval.types import FloatArray

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "poison", "away", *(f"w{i}" for i in range(50)))


class OverlapBackend:
    """Scores a pair by how many of its passage's tokens its query holds, over the passage's length.

    `gate` holds the model back while it is closed; "poison" makes the run fail, "away" makes the
    model unavailable; `runs` keeps the input ids.
    """

    def __init__(self, token_budget: int = 64) -> None:
        self.token_budget = token_budget
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.runs: list[np.ndarray] = []

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [run.shape for run in self.runs]

    def forward(self, batch: Batch) -> FloatArray:
        self.entered.set()
        self.gate.wait(30)
        self.runs.append(batch.input_ids)
        if (batch.input_ids == WORDS.index("poison")).any():
            raise ValueError("poisoned")
        if (batch.input_ids == WORDS.index("away")).any():
            raise RerankerUnavailableError("away")
        rows = zip(batch.input_ids, batch.token_type_ids, batch.attention_mask, strict=True)
        return np.array([_overlap(ids[mask == 1], types[mask == 1]) for ids, types, mask in rows], np.float32)


def _overlap(ids: np.ndarray, types: np.ndarray) -> float:
    return float(np.isin(ids[types == 1], ids[types == 0]).mean())


def tiny_reranker(backend: OverlapBackend | None = None, *, max_length: int = 32) -> Reranker:
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    card = RerankerCard("tiny", frozenset({"en"}), max_length=max_length)
    return Reranker(card, tokenizer, backend or OverlapBackend())
