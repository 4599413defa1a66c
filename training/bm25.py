"""BM25 scores of a small corpus in memory, equal to those of the index: for training, never for serving."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from retrieval.frequencies import count, idf, languages_of
from retrieval.lexical import Lexical, average_length, query_terms
from retrieval.types import FloatArray, Passage


class Bm25:
    """Passages as sparse rows, multiplied by the IDF of their terms."""

    def __init__(self, passages: Sequence[Passage]) -> None:
        vectors = Lexical(average_length=average_length(passages)).passages(passages)
        counted = count(vectors, [passage.language for passage in passages])
        self._languages = languages_of([counted])
        terms = np.concatenate([vector.indices for vector in vectors])
        self._terms, columns = np.unique(terms, return_inverse=True)
        ends = np.cumsum([0, *(len(vector.indices) for vector in vectors)])
        values = np.concatenate([vector.values for vector in vectors])
        shape = (len(vectors), len(self._terms))
        matrix = csr_matrix((values, columns, ends), shape=shape, dtype=np.float32)
        self._weighted = matrix.multiply(idf(self._terms, [counted])).T.tocsr()

    def scores(self, queries: Sequence[str]) -> FloatArray:
        """(queries, passages) float32."""
        known = [self._known(query) for query in queries]
        ends = np.cumsum([0, *map(len, known)])
        ones = np.ones(ends[-1], dtype=np.float32)
        shape = (len(queries), len(self._terms))
        rows = csr_matrix((ones, np.concatenate(known), ends), shape=shape)
        return np.asarray((rows @ self._weighted).todense(), dtype=np.float32)

    def _known(self, query: str) -> NDArray[np.intp]:
        """The columns of a query's terms, of those that the passages hold."""
        terms = query_terms(query, self._languages).ids
        places = np.minimum(np.searchsorted(self._terms, terms), len(self._terms) - 1)
        return np.asarray(places[self._terms[places] == terms], dtype=np.intp)
