"""Texts to BM25 terms: sparse vectors of passages, and the terms of a query.

Chinese, Japanese and Korean come as character bigrams, since word tokenizers serve them badly (nDCG@10 on two
Korean sets: words 0.846 and 0.823, bigrams 0.957 and 0.920); so do Thai, Lao, Burmese and Khmer. Everything
else is split into words, stripped of accents, and stemmed and stripped of stop words by the language of the
passage; a query by the languages of the passages that it searches. The vectors hold no IDF: that is
counted by library (`frequencies.py`), and a query carries it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray
from qdrant_edge import SparseVector as EdgeSparseVector

from retrieval.stemming import DEFAULT, bm25, stemmed_as
from retrieval.types import Passage, SparseVector

CONTEXT_WEIGHT = 2
EVIDENCE = 2  # words

# Hangul, kana and ideographs, after NFKC (which leaves no half-width forms).
_CJK = (
    "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
)
_HANGUL_RUN = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]+")
_CJK_RUN = re.compile(f"[{_CJK}\U00020000-\U0003ffff]+")
# Those, and Thai, Lao, Burmese and Khmer, which have no spaces between words either.
_UNSPACED_RUN = re.compile(f"[{_CJK}\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\U00020000-\U0003ffff]+")
# Letters that are written either way: е for ё, katakana for hiragana.
_SAME_LETTERS = str.maketrans("ёЁ", "еЕ") | {code: code + 0x60 for code in range(0x3041, 0x3097)}
# Letters and digits that marks join, with a digit in them: XK-4471-B, 10.1.0.2, 3.2.1, 2024/05.
_CODE = re.compile(r"(?<![\w.,/-])(?=[A-Za-z.,/_-]*[0-9])[A-Za-z0-9]+(?:[.,/_-][A-Za-z0-9]+)+")
_AMOUNT = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+\.00")
_MARKS = re.compile(r"[.,/_-]")
# So late a saturation that a term's weight is its count, to six digits in texts of any size.
_UNSATURATED = 1e9
# Of each language; about 200 bytes a word, so 20 MB when full.
_MOST_WORDS = 100_000
# Longer words are mostly unspaced sentences (Chinese, Japanese), which do not come again.
_LONGEST = 48  # characters


class Lexical:
    """BM25 (Robertson and Zaragoza 2009) of passages, with their context counted `CONTEXT_WEIGHT` times.

    `average_length` is the usual length of a passage in terms, as `average_length()` measures it.
    """

    def __init__(self, k: float = 1.2, b: float = 0.6, average_length: float = 150.0) -> None:
        self._models = cache(partial(bm25, k=k, b=b, average_length=average_length))

    def passages(self, passages: Sequence[Passage]) -> list[SparseVector]:
        """Return each passage's distinct terms with their saturated, length-normalised frequencies."""
        return [
            _sparse(self._models(stemmed_as(passage.language)).embed_document(_document(passage)))
            for passage in passages
        ]


@dataclass(frozen=True, slots=True)
class QueryTerms:
    """The terms of a query, sorted, and the number of its distinct words that are no stop words.

    A word has a term in each of the `languages` that the query may be in.
    """

    ids: NDArray[np.uint32]
    words: int
    languages: tuple[str, ...]


def query_terms(text: str, languages: Iterable[str]) -> QueryTerms:
    """Analyse a query by the languages (ISO 639-1) of the passages that it searches.

    A language is set aside only where the query has at least `EVIDENCE` more stop words of another one: a
    single word proves nothing, since most stop words of one language mean something in another ("die",
    "door", "volt", "hat"). A word is dropped where it is a stop word in every language that is left. No terms
    where the text holds only stop words or marks.
    """
    held = sorted({stemmed_as(language) for language in languages} or {DEFAULT})
    found = {language: memoryview(term_ids(text, language)).cast("I") for language in held}
    fewest = min(map(len, found.values()))
    kept = {language: set(ids) for language, ids in found.items() if len(ids) < fewest + EVIDENCE}
    ids = np.array(sorted(set().union(*kept.values())), dtype=np.uint32)
    words = min((len(each) for each in kept.values() if each), default=0)
    return QueryTerms(ids, words, tuple(kept))


def term_ids(text: str, language: str = "") -> bytes:
    """Return the ids of the terms of a text, each as often as it occurs, as native uint32.

    Many times faster than `Lexical.passages` where the words have been seen before.
    """
    return _term_ids(stemmed_as(language)).of(text)


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
        counted = self._counter.embed_document(_prepared(word))
        ids = np.repeat(np.array(counted.indices, np.uint32), np.rint(counted.values).astype(int)).tobytes()
        if len(self) >= _MOST_WORDS:
            self.clear()
        if len(word) <= _LONGEST:
            self[word] = ids
        return ids


@cache
def _term_ids(language: str) -> TermIds:
    return TermIds(language)


def average_length(passages: Sequence[Passage]) -> float:
    """Return the mean number of terms in a passage, as `Lexical` counts them; at least 1."""
    counts = [float(vector.values.sum()) for vector in Lexical(_UNSATURATED, 0.0, 1.0).passages(passages)]
    return max(float(np.mean(counts)), 1.0) if counts else 1.0


def is_cjk(text: str) -> bool:
    """Whether at least a third of the text is Chinese, Japanese or Korean."""
    return _holds_much(_CJK_RUN, text)


def holds_cjk(text: str) -> bool:
    """Whether any of the text is Chinese, Japanese or Korean."""
    return bool(_CJK_RUN.search(unicodedata.normalize("NFKC", text)))


def is_korean(text: str) -> bool:
    """Whether at least a third of the text is Hangul."""
    return _holds_much(_HANGUL_RUN, text)


def _holds_much(characters: re.Pattern[str], text: str) -> bool:
    found = sum(len(run) for run in characters.findall(unicodedata.normalize("NFKC", text)))
    return found * 3 >= len(text) > 0


def _document(passage: Passage) -> str:
    context = _prepared(passage.context)
    return f"{context}\n" * CONTEXT_WEIGHT + _prepared(passage.text)


def _prepared(text: str) -> str:
    """The text as the engine gets it.

    Runs of CJK and of scripts without spaces come as their overlapping pairs of characters, apart (a lone one
    stays), letters that are written either way as one, and codes also as a whole.
    """
    if not text.isascii():
        valid = text.encode("utf-8", "replace").decode()  # lone surrogates are no Unicode text
        text = _UNSPACED_RUN.sub(_pairs, unicodedata.normalize("NFKC", valid).translate(_SAME_LETTERS))
    return _CODE.sub(_whole, text)


def _whole(code: re.Match[str]) -> str:
    """A code's parts, and the whole without its marks; of an amount the whole alone, without its groups."""
    text = code.group()
    if _AMOUNT.fullmatch(text):
        return text.replace(",", "").removesuffix(".00")
    return f"{text} {_MARKS.sub('', text)}"


def _pairs(run: re.Match[str]) -> str:
    characters = run.group()
    pairs = [characters[i : i + 2] for i in range(len(characters) - 1)] or [characters]
    return f" {' '.join(pairs)} "


def _sparse(vector: EdgeSparseVector) -> SparseVector:
    return SparseVector(np.array(vector.indices, np.uint32), np.array(vector.values, np.float32))
