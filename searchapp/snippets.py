"""The part of a passage that is shown: its best sentence with its neighbours, and what to mark in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.encoder import Encoder
from retrieval.lexical import Lexical
from retrieval.sentences import split
from retrieval.types import FloatArray

LENGTH = 300  # characters
CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
WORD = re.compile(rf"[{CJK}]+|[^\W{CJK}]+")
IS_CJK = re.compile(rf"[{CJK}]")


@dataclass(frozen=True, slots=True)
class Snippet:
    """Plain text (to be escaped before it is shown) and the spans of it that the query matches."""

    text: str
    highlights: tuple[tuple[int, int], ...]


class Marker:
    """Finds what the query matches in a text.

    A word is marked where the lexical leg would count it as a match: it shares a stem, or a character
    bigram, with the query.
    """

    def __init__(self, query: str, lexical: Lexical) -> None:
        self._lexical = lexical
        self.terms = self.terms_of(query)
        self._known: dict[str, bool] = {}  # a document repeats its words

    def terms_of(self, text: str) -> frozenset[int]:
        return frozenset(self._lexical.query(text).indices.tolist())

    def spans(self, text: str) -> list[tuple[int, int]]:
        """The matching spans, in order, adjacent ones joined."""
        spans: list[tuple[int, int]] = []
        for match in WORD.finditer(text):
            for start, end in self._matches(match.group(), match.start()):
                if spans and start <= spans[-1][1]:
                    spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
                else:
                    spans.append((start, end))
        return spans

    def _matches(self, word: str, at: int) -> list[tuple[int, int]]:
        if not IS_CJK.match(word):
            return [(at, at + len(word))] if self._shares_term(word) else []
        pieces = [(i, i + 2) for i in range(len(word) - 1)] or [(0, 1)]
        return [(at + i, at + j) for i, j in pieces if self._shares_term(word[i:j])]

    def _shares_term(self, piece: str) -> bool:
        known = self._known.get(piece)
        if known is None:
            known = self._known[piece] = not self.terms.isdisjoint(self.terms_of(piece))
        return known


class Snippets:
    """Snippets for the hits of one query."""

    def __init__(self, query: str, encoder: Encoder, lexical: Lexical) -> None:
        self._marker = Marker(query, lexical)
        self._encoder = encoder
        self._query_vector = encoder.encode_queries([query])[0]

    def of(self, text: str) -> Snippet:
        start, end = self._window(text)
        shown = text[start:end]
        return Snippet(shown, tuple(self._marker.spans(shown)))

    def _window(self, text: str) -> tuple[int, int]:
        """The best sentence, and what of its neighbours fits into `LENGTH` around it."""
        if len(text) <= LENGTH:
            return 0, len(text)
        sentences = split(text)
        best = int(np.argmax(self._scores(text, sentences)))
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

    def _scores(self, text: str, sentences: Sequence[tuple[int, int]]) -> FloatArray:
        """Share of the query's terms in each sentence, plus its similarity to the query."""
        texts = [text[start:end] for start, end in sentences]
        similarity = self._encoder.encode_passages(texts) @ self._query_vector
        wanted = self._marker.terms
        shares = [len(self._marker.terms_of(t) & wanted) / max(1, len(wanted)) for t in texts]
        scores: FloatArray = np.asarray(shares, np.float32) + similarity
        return scores
