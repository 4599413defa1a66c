"""Texts to sparse BM25 vectors. The index multiplies in the IDF, which changes with every document.

Chinese, Japanese and Korean come as character bigrams, since word tokenizers serve them badly (nDCG@10 on two
Korean sets: words 0.846 and 0.823, bigrams 0.957 and 0.920). Everything else is split into words, stripped of
accents, and stemmed and stripped of stop words by the language of the passage; a query by the one language of
the index whose stop words it uses, or by all of them where it uses none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from qdrant_edge import Bm25
from qdrant_edge import SparseVector as EdgeSparseVector

from retrieval.stemming import DEFAULT, bm25
from retrieval.types import FloatArray, Passage, SparseVector

# Hangul, kana and ideographs, after NFKC (which leaves no half-width forms).
_CJK = (
    "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
_CJK_RUN = re.compile(f"[{_CJK}\U00020000-\U0003ffff]+")
# So late a saturation that a term's weight is its count, to six digits in texts of any size.
_UNSATURATED = 1e9
# Of each language; about 200 bytes a word, so 20 MB when full.
_MOST_WORDS = 100_000
# Longer words are mostly unspaced sentences (Chinese, Japanese), which do not come again.
_LONGEST = 48  # characters


class Lexical:
    """BM25 (Robertson and Zaragoza 2009), with the context of a passage counted `context_weight` times.

    `average_length` is that of the indexed passages in terms, as `average_length()` measures it. `languages`
    (ISO 639-1, of `stemming.STEMMED`) are those that passages are stemmed by; the first one also stands for
    passages of any other language, or of none. Passages and queries must be given the same ones, in the same
    order; a language may be added at the end at any time, before the first passages that are written in it.

    Raises KeyError for a language that cannot be stemmed.
    """

    def __init__(
        self,
        k: float = 1.2,
        b: float = 0.6,
        average_length: float = 150.0,
        context_weight: int = 2,
        languages: Sequence[str] = (DEFAULT,),
    ) -> None:
        self._models = {language: bm25(language, k, b, average_length) for language in languages}
        self._first = languages[0]
        self.context_weight = context_weight
        self._k, self._b, self._average_length = k, b, average_length

    def passages(self, passages: Sequence[Passage]) -> list[SparseVector]:
        """One vector a passage: each distinct term with its saturated, length-normalised frequency."""
        return [
            _sparse(self._model(passage).embed_document(_document(passage, self.context_weight)))
            for passage in passages
        ]

    def term_ids(self, text: str, language: str = "") -> bytes:
        """The ids of its terms, each as often as it occurs, as native uint32.

        Those of a passage are those of its context, `context_weight` times, and of its text. Many times
        faster than `passages` where the words have been seen before.
        """
        return _term_ids(language if language in self._models else self._first).of(text)

    def frequencies(self, terms: NDArray[np.uint32], ids: Sequence[bytes]) -> FloatArray:
        """(passages, terms): what `passages` gives to each of the sorted `terms`, 0 where it is not held.

        `ids`: of each passage, as `term_ids` has them.
        """
        lengths = np.array([len(each) // 4 for each in ids])
        rows = np.repeat(np.arange(len(ids)), lengths)
        flat = np.frombuffer(b"".join(ids), np.uint32)
        asked = np.isin(flat, terms)
        counts = np.zeros((len(ids), len(terms)), dtype=np.float32)
        np.add.at(counts, (rows[asked], np.searchsorted(terms, flat[asked])), 1)
        norms = self._k * (1 - self._b + self._b * lengths / self._average_length)
        # The smallest divisor is for a text without terms where b is 1.
        saturated = counts * (self._k + 1) / np.maximum(counts + norms[:, np.newaxis], 1e-9)
        return saturated.astype(np.float32)

    def query(self, text: str) -> SparseVector:
        """Each distinct term with weight 1; no terms where the text holds only stop words or marks.

        The languages that leave the fewest terms are those whose stop words it uses: for three languages that
        finds English as well as English alone does, and the stems of all would lose up to 0.013 nDCG@10.
        """
        terms = _bigrams(text)
        found = [set(model.embed_query(terms).indices) for model in self._models.values()]
        fewest = min((len(each) for each in found if each), default=0)
        kept = set().union(*(each for each in found if len(each) == fewest))
        indices = np.array(sorted(kept), dtype=np.uint32)
        return SparseVector(indices, np.ones(len(indices), dtype=np.float32))

    def _model(self, passage: Passage) -> Bm25:
        return self._models.get(passage.language) or self._models[self._first]


class TermIds(dict[str, bytes]):
    """The ids of the terms of each word seen so far, as native uint32; mostly one or none.

    A word is what stands between white space. The engine ends terms there too, and reads each by itself, so
    that the terms of a text are those of its words. Safe in any thread.
    """

    def __init__(self, language: str) -> None:
        super().__init__()
        self._counter = bm25(language, _UNSATURATED, 0.0, 1.0)

    def of(self, text: str) -> bytes:
        """The ids of the terms of a text, each as often as it occurs."""
        return b"".join(map(self.__getitem__, text.split()))

    def __missing__(self, word: str) -> bytes:
        counted = self._counter.embed_document(_bigrams(word))
        ids = np.repeat(np.array(counted.indices, np.uint32), np.rint(counted.values).astype(int)).tobytes()
        if len(self) >= _MOST_WORDS:
            self.clear()
        if len(word) <= _LONGEST:
            self[word] = ids
        return ids


@cache
def _term_ids(language: str) -> TermIds:
    """One for every `Lexical`: they differ in weights, not in terms."""
    return TermIds(language)


def average_length(
    passages: Sequence[Passage], context_weight: int = 2, languages: Sequence[str] = (DEFAULT,)
) -> float:
    """The mean number of terms in a passage, as `Lexical` counts them; at least 1."""
    counter = Lexical(_UNSATURATED, 0.0, 1.0, context_weight, languages)
    counts = [float(vector.values.sum()) for vector in counter.passages(passages)]
    return max(float(np.mean(counts)), 1.0) if counts else 1.0


def is_cjk(text: str) -> bool:
    """Whether at least a third of the text is Chinese, Japanese or Korean."""
    found = sum(len(run) for run in _CJK_RUN.findall(unicodedata.normalize("NFKC", text)))
    return found * 3 >= len(text) > 0


def _document(passage: Passage, context_weight: int) -> str:
    context = _bigrams(passage.context)
    return f"{context}\n" * context_weight + _bigrams(passage.text)


def _bigrams(text: str) -> str:
    """The text with every CJK run as its overlapping pairs of characters, apart; a lone character stays."""
    if text.isascii():
        return text
    valid = text.encode("utf-8", "replace").decode()  # lone surrogates are no Unicode text
    return _CJK_RUN.sub(_pairs, unicodedata.normalize("NFKC", valid))


def _pairs(run: re.Match[str]) -> str:
    characters = run.group()
    pairs = [characters[i : i + 2] for i in range(len(characters) - 1)] or [characters]
    return f" {' '.join(pairs)} "


def _sparse(vector: EdgeSparseVector) -> SparseVector:
    return SparseVector(np.array(vector.indices, np.uint32), np.array(vector.values, np.float32))
