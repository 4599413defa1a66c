"""Static models: a text's vector is the mean of its tokens' rows in one table. Needs no torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from tokenizers import Tokenizer

from retrieval.encoder import EncoderUnavailableError, StaticFiles, both_prompts
from retrieval.encoder.table import load_table
from retrieval.encoder.words import WordTokenizer
from retrieval.types import FloatArray

# Texts in one matrix product: enough to spread the call's cost, few enough to stay in the caches.
_BATCH = 256


class StaticEncoder:
    """Equal to sentence-transformers' `encode(..., truncate_dim=dimensions, normalize_embeddings=True)`.

    Queries read a few rows of the memory-mapped table; passages bring the cut table into memory once.
    """

    def __init__(self, name: str, files: StaticFiles, dimensions: int | None = None) -> None:
        self._table, tokenizer = read_static(files)
        full = self._table.shape[1]
        if dimensions is not None and not 1 <= dimensions <= full:
            raise ValueError(f"{name} has {full} dimensions, so it cannot be cut to {dimensions}.")
        self.name = name
        self.dimensions = dimensions or full
        self._words = WordTokenizer(tokenizer, skip_unknown=files.skip_unknown)
        self._query_prompt, self._passage_prompt = both_prompts(files.prompts)

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """(texts, dimensions) float32, unit rows; a row of zeros for a text without any known token."""
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, ids in enumerate(self._words.ids([self._query_prompt + text for text in texts])):
            if ids:
                rows = self._table[np.frombuffer(ids, np.uint32), : self.dimensions]
                vectors[row] = rows.mean(axis=0, dtype=np.float32)
        return _unit(vectors)

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """(texts, dimensions) float32, unit rows; a row of zeros for a text without any known token."""
        vectors = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for start in range(0, len(texts), _BATCH):
            batch = texts[start : start + _BATCH]
            if self._passage_prompt:
                batch = [self._passage_prompt + text for text in batch]
            vectors[start : start + len(batch)] = self._sums(self._words.ids(batch))
        return _unit(vectors)

    @cached_property
    def _table_in_memory(self) -> FloatArray:
        """The cut table; itself still a memory map where the file holds just that."""
        return np.ascontiguousarray(self._table[:, : self.dimensions], dtype=np.float32)

    def _sums(self, ids: Sequence[bytes]) -> FloatArray:
        """(texts, dimensions): each text's sum of rows, which has the direction of their mean."""
        tokens = np.frombuffer(b"".join(ids), np.uint32).astype(np.int32)
        ends = np.cumsum([0, *(len(each) // 4 for each in ids)], dtype=np.int32)
        ones = np.ones(len(tokens), dtype=np.float32)
        bags = csr_matrix((ones, tokens, ends), shape=(len(ids), len(self._table)))
        sums: FloatArray = bags @ self._table_in_memory
        return sums


def read_static(files: StaticFiles) -> tuple[NDArray[Any], Tokenizer]:
    """The table (tokens, dimensions) as `load_table` gives it, and the tokenizer.

    Raises `EncoderUnavailableError` where one of them cannot be read.
    """
    try:
        table = load_table(files.folder / "model.safetensors")
        return table, Tokenizer.from_file(str(files.folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises bare Exceptions
        raise EncoderUnavailableError(
            f"The static model in {files.folder} cannot be read: {error}"
        ) from error


def _unit(vectors: FloatArray) -> FloatArray:
    lengths: FloatArray = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.maximum(lengths, 1e-12)
    return vectors
