"""What is shown of a passage: the piece that answers best with its neighbours, and what to mark in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from library.models import Chunk
from retrieval.encoder import Encoder
from retrieval.lexical import term_ids
from retrieval.ranking import Query
from retrieval.types import FloatArray
from searchapp.readable import Kind, Piece, pieces

LENGTH = 240  # characters
ROOM = LENGTH - 4  # without the dots before and after what was cut
CLAUSE = re.compile(r"[;,:.!?、，。；]\s+|[、，。；]")
SPACE = re.compile(r"\s+")
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
        self._weights = dict(zip(query.terms.indices.tolist(), query.terms.values.tolist(), strict=True))
        self._marker = Marker(self._weights)
        self._words = re.compile("|".join(map(re.escape, query.text.split())), re.IGNORECASE)
        self._encoder = encoder
        self._query_vector = query.vector

    def of(self, chunk: Chunk) -> Snippet:
        language, found = chunk.document.language, pieces(chunk)
        if not found:
            return Snippet("", ())
        best = int(np.argmax(self._scores([piece.text for piece in found], language)))
        found = _headed(found, best)
        if len(found[best].text) > ROOM:
            text = _cut(found[best].text, self._spans(found[best].text, language))
        else:
            first, text = _grown(found, best)
            cut = first == 0 and chunk.start > 0 and text[:1].islower()
            text = f"… {text}" if cut or text[:1].isdigit() else text
        return Snippet(text, tuple(self._spans(text, language)))

    def _spans(self, text: str, language: str) -> list[tuple[int, int]]:
        """What the terms match, or else the query's words as they are: Thai has no spaces between words."""
        return self._marker.spans(text, language) or [match.span() for match in self._words.finditer(text)]

    def _scores(self, texts: Sequence[str], language: str) -> FloatArray:
        """Share of the query's terms in each piece, by weight, plus its similarity to the query.

        Where any piece has a term, only those with one count: what people see is why the passage was found.
        """
        held = np.array(
            [sum(self._weights[term] for term in self._marker.found_in(text, language)) for text in texts],
            np.float32,
        )
        similarity = self._encoder.encode_passages(texts) @ self._query_vector
        scores: FloatArray = held / max(sum(self._weights.values()), 1e-6) + similarity
        return np.where(held > 0, scores, -np.inf) if held.any() else scores


def _headed(found: Sequence[Piece], best: int) -> list[Piece]:
    """Return the pieces with the best one, where that is a heading, joined to what stands below it."""
    below = found[best + 1 : best + 2]
    if found[best].kind is not Kind.HEADING or not below or below[0].kind is Kind.HEADING:
        return list(found)
    joined = found[best].text + _between(found[best], below[0]) + below[0].text
    return [*found[:best], Piece(joined, below[0].kind), *found[best + 2 :]]


def _grown(found: Sequence[Piece], best: int) -> tuple[int, str]:
    """Return the best piece with those after and before it that fit, and the number of the first.

    Another heading begins another subject, and one row of a table says enough.
    """
    text, first = found[best].text, best
    if found[best].kind is Kind.ROW:
        return best, text
    for before, piece in zip(found[best:], found[best + 1 :], strict=False):
        longer = text + _between(before, piece) + piece.text
        if piece.kind in (Kind.HEADING, Kind.ROW) or len(longer) > ROOM:
            break
        text = longer
    while first:
        piece = found[first - 1]
        longer = piece.text + _between(piece, found[first]) + text
        if piece.kind in (Kind.HEADING, Kind.ROW) or len(longer) > ROOM:
            break
        text, first = longer, first - 1
    return first, text


def _between(piece: Piece, following: Piece) -> str:
    if piece.closed:
        return " "
    return "; " if piece.kind is following.kind is Kind.ITEM else ": "


def _cut(text: str, matches: Sequence[tuple[int, int]]) -> str:
    """Return the part of a long piece that holds most of what the query matches, between whole words."""
    start, end = _densest(text, matches)
    room = ROOM - (end - start)
    earliest = max(0, start - room // 2)
    start = _border(text, earliest, start, first=True) if earliest or text[0].isdigit() else 0
    latest = min(len(text), start + ROOM)
    end = latest if latest == len(text) else _border(text, max(end, start + ROOM // 2), latest, first=False)
    shown = text[start:end].strip(" ,;")
    opening = "… " if start or shown[:1].isdigit() else ""
    return f"{opening}{shown}{' …' if end < len(text) else ''}"


def _densest(text: str, matches: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return the stretch of at most half the room that has the most different matches, the first of such."""
    best, most = (0, 0), 0
    for number, (start, end) in enumerate(matches):
        near = [span for span in matches[number:] if span[1] - start <= ROOM // 2] or [(start, end)]
        words = len({text[a:b].lower() for a, b in near})
        if words > most:
            best, most = (start, min(near[-1][1], start + ROOM)), words
    return best


def _border(text: str, start: int, end: int, *, first: bool) -> int:
    """Return where a clause begins between two places, or else a word, or else the outer place."""
    for border in (CLAUSE, SPACE):
        places = [start + match.end() for match in border.finditer(text[start:end])]
        places = [place for place in places if not (first and text[place].isdigit())] if first else places
        if places:
            return places[0] if first else places[-1]
    return start if first else end
