"""Texts as bags of tokens: the sparse rows that training multiplies with the table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix
from tokenizers import Tokenizer

from retrieval.encoder.words import WordTokenizer
from retrieval.types import FloatArray

# Of the two sides of a pair, as far as they are read.
QUERY_TOKENS, PASSAGE_TOKENS = 128, 512


class BagMaker:
    """Counts the tokens of texts; remembers the tokens of every word it has seen."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._words = WordTokenizer(tokenizer)
        self._vocabulary_size = tokenizer.get_vocab_size()

    def __call__(self, texts: Sequence[str], *, max_tokens: int | None = None) -> csr_matrix:
        """(texts, vocabulary) float32 counts, of each text's first `max_tokens` tokens (None: all)."""
        limit = None if max_tokens is None else max_tokens * 4
        ids = [each[:limit] for each in self._words.ids(texts)]
        tokens = np.frombuffer(b"".join(ids), np.uint32).astype(np.int32)
        ends = np.cumsum([0, *(len(each) // 4 for each in ids)], dtype=np.int32)
        ones = np.ones(len(tokens), dtype=np.float32)
        bags = csr_matrix((ones, tokens, ends), shape=(len(ids), self._vocabulary_size))
        bags.sum_duplicates()
        return bags


def embed(bags: csr_matrix, table: FloatArray) -> FloatArray:
    """(texts, dimensions) unit rows; zeros for a bag without tokens."""
    return unit(np.asarray(bags @ table, dtype=np.float32))


def unit(vectors: FloatArray) -> FloatArray:
    """The rows at length 1; zero rows stay."""
    lengths = np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.asarray(vectors / lengths, dtype=np.float32)
