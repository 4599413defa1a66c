"""What the best sentence of each candidate says: a whole passage's scores dilute the one that answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import Encoder
from retrieval.encoder.static import StaticEncoder
from retrieval.fusion import DEFAULT_WEIGHTS, FusionWeights
from retrieval.lexical import Lexical
from retrieval.types import FloatArray, FusedCandidate, Passage

# How many of the first candidates are read, how much their best sentence counts, and the odds by which the
# dense leg counts more for a sentence than for a passage, since a sentence has few words to match. Chosen on
# nine sets, of which none is ranked worse (docs/decisions/0007-best-sentence.md).
READ_DEPTH = 30
WEIGHT = 0.3
DENSE_ODDS = 2.0
# From so many passages' scores the weights of the query's terms are found.
EQUATIONS = 20
# Shorter pieces (an abbreviation, a number, a heading) belong to the sentence that follows.
SHORT = 20  # characters
Places = NDArray[np.int64]
_PIECE = re.compile(r"[^\n.!?。！？]+[.!?。！？\n]*")


def split(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences, in order; they cover the text from its first to its last word."""
    spans, start = [], 0
    for piece in _PIECE.finditer(text):
        if len(text[start : piece.end()].strip()) >= SHORT:
            spans.append((start, piece.end()))
            start = piece.end()
    if text[start:].strip() or not spans:
        spans.append((start, len(text)))
    return spans


def by_best_sentence(
    query: str,
    candidates: Sequence[FusedCandidate],
    passages: Mapping[str, Passage],
    encoder: Encoder,
    lexical: Lexical,
    weights: FusionWeights = DEFAULT_WEIGHTS,
) -> list[FusedCandidate]:
    """The candidates, best first, by `(1 - WEIGHT) * fused score + WEIGHT * best sentence's score`.

    A sentence is scored like a passage, by its similarity to the query and by the terms that it shares with
    it, each scaled to 0-1 over the candidates and then weighted (Akkalyoncu Yilmaz et al. 2019,
    doi:10.18653/v1/D19-1352, with both legs in BERT's place). A passage's context is one of its sentences.

    Args:
        query: what was asked.
        candidates: of the first stage, best first. Those after `READ_DEPTH`, or without a passage, get
            nothing for a sentence.
        passages: by candidate's id.
        encoder: where it is no static model the order stays, since encoding the sentences would take seconds.
        lexical: as it is given to the first stage.
        weights: as they are given to the first stage.
    """
    head = [candidate for candidate in candidates[:READ_DEPTH] if candidate.id in passages]
    if not head or not isinstance(encoder, StaticEncoder):
        return list(candidates)
    evidence = _evidence(query, head, [passages[c.id] for c in head], encoder, lexical, weights)
    found = dict(zip((c.id for c in head), evidence.tolist(), strict=True))
    moved = [replace(c, score=(1 - WEIGHT) * c.score + WEIGHT * found.get(c.id, 0.0)) for c in candidates]
    return sorted(moved, key=lambda candidate: (-candidate.score, candidate.id))


def _evidence(
    query: str,
    candidates: Sequence[FusedCandidate],
    passages: Sequence[Passage],
    encoder: Encoder,
    lexical: Lexical,
    weights: FusionWeights,
) -> FloatArray:
    """(candidates,): the score of each one's best sentence, at most 1."""
    read = [_read(passage, lexical) for passage in passages]
    starts = np.cumsum([0, *(len(each.sentences) for each in read[:-1])])
    sentences = [sentence for each in read for sentence in each.sentences]
    similarities = encoder.encode_passages(sentences) @ encoder.encode_queries([query])[0]
    terms = lexical.query(query).indices
    idf = term_weights(candidates, lexical.frequencies(terms, [each.whole for each in read]))
    held = lexical.frequencies(terms, [ids for each in read for ids in each.ids]) > 0
    shared = (held * idf).sum(1)  # by `@` numpy once warned of an invalid value
    weight = weights.lexical(query, len(terms))
    weight /= weight + DENSE_ODDS * (1 - weight)
    scores = (1 - weight) * _scaled(similarities, starts) + weight * _scaled(shared, starts)
    return np.maximum.reduceat(scores, starts)


@dataclass(frozen=True, slots=True)
class _Read:
    """A passage's sentences, the last one being its context, and the terms of each and of all of it."""

    sentences: list[str]
    ids: list[bytes]  # of each sentence, as `Lexical.term_ids` has them
    whole: bytes


def _read(passage: Passage, lexical: Lexical) -> _Read:
    """Splits no term: a sentence ends after a mark, which none holds."""
    sentences = [passage.text[start:end] for start, end in split(passage.text)]
    ids = [lexical.term_ids(sentence, passage.language) for sentence in sentences]
    whole = b"".join(ids)
    if context := passage.context:
        sentences.append(context)
        ids.append(lexical.term_ids(context, passage.language))
        whole += ids[-1] * lexical.context_weight
    return _Read(sentences, ids, whole)


def term_weights(candidates: Sequence[FusedCandidate], frequencies: FloatArray) -> FloatArray:
    """(terms,): the index's IDF of each term, 0 for one that the candidates do not hold.

    The index keeps it to itself, but a passage's score is the sum of its terms' weights times their IDF, so
    that least squares give it back.

    Args:
        candidates: of the first stage.
        frequencies: (candidates, terms), as `Lexical.frequencies` gives them.
    """
    known = [row for row, candidate in enumerate(candidates) if candidate.lexical is not None][:EQUATIONS]
    if not known or not frequencies.shape[1]:
        return np.zeros(frequencies.shape[1], dtype=np.float32)
    scores = np.array([candidates[row].lexical for row in known], dtype=np.float32)
    idf: FloatArray = np.linalg.lstsq(frequencies[known], scores, rcond=1e-4)[0]
    return np.maximum(idf, 0)


def _scaled(scores: FloatArray, starts: Places) -> FloatArray:
    """1 for the best sentence of all, 0 for the best of the worst passage; all 0 where these are equal.

    They are equal also where they differ by no more than float32 rounds off.
    """
    best = np.maximum.reduceat(scores, starts)
    low, high = float(best.min()), float(best.max())
    return (scores - low) / (high - low) if high - low > 1e-5 * abs(high) else np.zeros_like(scores)
