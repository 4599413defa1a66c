"""The part of a passage that is shown: its best sentence with its neighbours, and what to mark in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from library.models import Chunk
from retrieval.encoder import Encoder
from retrieval.lexical import term_ids
from retrieval.ranking import Query
from retrieval.ranking.sentences import split
from retrieval.types import FloatArray

LENGTH = 300  # characters
# Scripts of which the index holds pairs of characters.
PAIRED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
WORD = re.compile(rf"[{PAIRED}]+|[^\W{PAIRED}]+")
IS_PAIRED = re.compile(rf"[{PAIRED}]")


@dataclass(frozen=True, slots=True)
class Snippet:
    """Plain text (to be escaped before it is shown) and the spans of it that the query matches."""

    text: str
    highlights: tuple[tuple[int, int], ...]


class Marker:
    """Finds in a text what the terms of a query match.

    A word is marked where the lexical leg would count it as a match: it shares a stem, or a character
    bigram, with the query.
    """

    def __init__(self, terms: Iterable[int]) -> None:
        self.terms = frozenset(terms)

    def spans(self, text: str, language: str) -> list[tuple[int, int]]:
        """Return the matching spans of a text in a language, in order, adjacent ones joined."""
        spans: list[tuple[int, int]] = []
        for match in WORD.finditer(text):
            for start, end in self._matches(match.group(), match.start(), language):
                if spans and start <= spans[-1][1]:
                    spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
                else:
                    spans.append((start, end))
        return spans

    def found_in(self, text: str, language: str) -> frozenset[int]:
        """Return the terms that a text in a language holds."""
        return self.terms.intersection(memoryview(term_ids(text, language)).cast("I"))

    def _matches(self, word: str, at: int, language: str) -> list[tuple[int, int]]:
        if not IS_PAIRED.match(word):
            return [(at, at + len(word))] if self.found_in(word, language) else []
        pieces = [(i, i + 2) for i in range(len(word) - 1)] or [(0, 1)]
        return [(at + i, at + j) for i, j in pieces if self.found_in(word[i:j], language)]


class Snippets:
    """Snippets for the hits of one query."""

    def __init__(self, query: Query, encoder: Encoder) -> None:
        self._marker = Marker(query.terms.indices.tolist())
        self._encoder = encoder
        self._query_vector = query.vector

    def of(self, chunk: Chunk) -> Snippet:
        text, language = chunk.text, chunk.document.language
        start, end = self._window(text, language)
        shown = text[start:end]
        return Snippet(shown, tuple(self._marker.spans(shown, language)))

    def _window(self, text: str, language: str) -> tuple[int, int]:
        """Return the best sentence, and what of its neighbours fits into `LENGTH` around it."""
        if len(text) <= LENGTH:
            return 0, len(text)
        sentences = split(text)
        best = int(np.argmax(self._scores([text[start:end] for start, end in sentences], language)))
        start, end = sentences[best]
        after, before = best + 1, best - 1
        while after < len(sentences) and sentences[after][1] - start <= LENGTH:
            end, after = sentences[after][1], after + 1
        while before >= 0 and end - sentences[before][0] <= LENGTH:
            start, before = sentences[before][0], before - 1
        if end - start > LENGTH:
            end = max(text.rfind(" ", start + LENGTH // 2, start + LENGTH), start + LENGTH // 2)
        blank = len(text[start:end]) - len(text[start:end].lstrip())
        return start + blank, start + len(text[start:end].rstrip())

    def _scores(self, sentences: Sequence[str], language: str) -> FloatArray:
        """Share of the query's terms in each sentence, plus its similarity to the query."""
        similarity = self._encoder.encode_passages(sentences) @ self._query_vector
        wanted = max(1, len(self._marker.terms))
        shares = [len(self._marker.found_in(sentence, language)) / wanted for sentence in sentences]
        scores: FloatArray = np.asarray(shares, np.float32) + similarity
        return scores
