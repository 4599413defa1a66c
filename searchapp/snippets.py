"""The part of a passage that is shown: its best sentence with its neighbours, and what to mark in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from retrieval.encoder import Encoder
from retrieval.lexical import Lexical

LENGTH = 300  # characters
SENTENCE = re.compile(r"[^\n.!?。！？]+(?:[.!?。！？]+(?=\s|$|[^\x00-\x7f])|[.!?]|\n|$)+")
CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff"
WORD = re.compile(rf"[{CJK}]+|[^\W{CJK}]+")
IS_CJK = re.compile(rf"[{CJK}]")


@dataclass(frozen=True, slots=True)
class Snippet:
    """Plain text (to be escaped before it is shown) and the spans of it that the query matches."""

    text: str
    highlights: tuple[tuple[int, int], ...]


class Snippets:
    """Snippets for the hits of one query.

    A word is marked where the lexical leg would count it as a match: it shares a stem, or a character
    bigram, with the query.
    """

    def __init__(self, query: str, encoder: Encoder, lexical: Lexical) -> None:
        self._lexical = lexical
        self._encoder = encoder
        self._query_vector = encoder.encode_queries([query])[0]
        self._query_terms = set(lexical.query(query).indices.tolist())

    def of(self, text: str) -> Snippet:
        start, end = self._window(text)
        shown = text[start:end]
        return Snippet(shown, tuple(self.highlights(shown)))

    def highlights(self, text: str) -> list[tuple[int, int]]:
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
        return not self._query_terms.isdisjoint(self._lexical.query(piece).indices.tolist())

    def _window(self, text: str) -> tuple[int, int]:
        """The best sentence, and what of its neighbours fits into `LENGTH` around it."""
        if len(text) <= LENGTH:
            return 0, len(text)
        sentences = [m.span() for m in SENTENCE.finditer(text) if m.group().strip()] or [(0, len(text))]
        best = int(np.argmax(self._scores(text, sentences)))
        start, end = sentences[best]
        after, before = best + 1, best - 1
        while after < len(sentences) and sentences[after][1] - start <= LENGTH:
            end, after = sentences[after][1], after + 1
        while before >= 0 and end - sentences[before][0] <= LENGTH:
            start, before = sentences[before][0], before - 1
        if end - start > LENGTH:
            end = max(text.rfind(" ", start + LENGTH // 2, start + LENGTH), start + LENGTH // 2)
        while start < end and text[start].isspace():
            start += 1
        return start, end

    def _scores(self, text: str, sentences: Sequence[tuple[int, int]]) -> np.ndarray:
        """Share of the query's terms in each sentence, plus its similarity to the query."""
        texts = [text[start:end] for start, end in sentences]
        similarity = self._encoder.encode_passages(texts) @ self._query_vector
        terms = [set(self._lexical.query(t).indices.tolist()) for t in texts]
        shares = [len(t & self._query_terms) / max(1, len(self._query_terms)) for t in terms]
        return np.asarray(shares) + similarity
