"""What the best sentence of each candidate says: a whole passage's scores dilute the one that answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

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
Terms = NDArray[np.uint32]
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
    sentences = [_sentences(passage) for passage in passages]
    starts = np.cumsum([0, *(len(each) for each in sentences[:-1])])
    flat = [sentence for each in sentences for sentence in each]
    similarities = encoder.encode_passages([s.text for s in flat]) @ encoder.encode_queries([query])[0]
    terms = lexical.query(query).indices
    shared = (_frequencies(terms, flat, lexical) > 0) @ term_weights(terms, candidates, passages, lexical)
    weight = weights.lexical(query, len(terms))
    weight /= weight + DENSE_ODDS * (1 - weight)
    scores = (1 - weight) * _scaled(similarities, starts) + weight * _scaled(shared, starts)
    return np.maximum.reduceat(scores, starts)


def _sentences(passage: Passage) -> list[Passage]:
    texts = [passage.text[start:end] for start, end in split(passage.text)]
    if passage.context:
        texts.append(passage.context)
    return [Passage(text, language=passage.language) for text in texts]


def term_weights(
    terms: Terms, candidates: Sequence[FusedCandidate], passages: Sequence[Passage], lexical: Lexical
) -> FloatArray:
    """(terms,): the index's IDF of each term, 0 for one that the passages do not hold.

    The index keeps it to itself, but a passage's score is the sum of its terms' weights times their IDF, so
    that least squares give it back.
    """
    known = [(p, c.lexical) for p, c in zip(passages, candidates, strict=True) if c.lexical is not None]
    if not known or not len(terms):
        return np.zeros(len(terms), dtype=np.float32)
    known = known[:EQUATIONS]
    scores = np.array([score for _, score in known], dtype=np.float32)
    frequencies = _frequencies(terms, [passage for passage, _ in known], lexical)
    idf: FloatArray = np.linalg.lstsq(frequencies, scores, rcond=1e-4)[0]
    return np.maximum(idf, 0)


def _frequencies(terms: Terms, passages: Sequence[Passage], lexical: Lexical) -> FloatArray:
    """(passages, terms): the weight of each of the sorted `terms` in each passage, 0 where it is not held."""
    vectors = lexical.passages(passages)
    rows = np.repeat(np.arange(len(vectors)), [len(vector.indices) for vector in vectors])
    indices = np.concatenate([vector.indices for vector in vectors])
    values = np.concatenate([vector.values for vector in vectors])
    wanted = np.isin(indices, terms)
    frequencies = np.zeros((len(vectors), len(terms)), dtype=np.float32)
    frequencies[rows[wanted], np.searchsorted(terms, indices[wanted])] = values[wanted]
    return frequencies


def _scaled(scores: FloatArray, starts: Places) -> FloatArray:
    """1 for the best sentence of all, 0 for the best of the worst passage; all 0 where these are equal."""
    best = np.maximum.reduceat(scores, starts)
    low, high = float(best.min()), float(best.max())
    return (scores - low) / (high - low) if high - low > 1e-9 else np.zeros_like(scores)
