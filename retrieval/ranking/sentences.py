"""What the best sentence of each candidate says: a whole passage's scores dilute the one that answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import Encoder
from retrieval.encoder.static import StaticEncoder
from retrieval.lexical import holds_cjk, term_ids
from retrieval.ranking.query import Query
from retrieval.ranking.stage import Pool
from retrieval.types import FloatArray, FusedCandidate, Passage

# How many of the first candidates are read, how much their best sentence counts, and the odds by which the
# dense leg counts more for a sentence than for a passage, since a sentence has few words to match. Chosen on
# judged sets, the weight on files (docs/decisions/0007-best-sentence.md).
READ_DEPTH = 30
WEIGHT = 0.1
DENSE_ODDS = 2.0
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


def by_best_sentence(query: Query, candidates: Sequence[FusedCandidate], pool: Pool) -> list[FusedCandidate]:
    """Return the candidates, best first, by `(1 - WEIGHT) * fused score + WEIGHT * best sentence's score`.

    A sentence is scored like a passage, by its similarity to the query and by the terms that it shares with
    it, each scaled to 0-1 over the candidates and then weighted (Akkalyoncu Yilmaz et al. 2019,
    doi:10.18653/v1/D19-1352, with both legs in BERT's place). A passage's context is one of its sentences.

    Candidates after `READ_DEPTH`, or without a passage, get nothing for a sentence. The order stays for a
    query that holds any Chinese, Japanese or Korean, since a sentence's few bigrams mislead. It stays, too,
    with an encoder that is no static model, since encoding the sentences would take seconds.
    """
    head = [candidate for candidate in candidates[:READ_DEPTH] if candidate.id in pool.passages]
    if not head or holds_cjk(query.text) or not isinstance(pool.encoder, StaticEncoder):
        return list(candidates)
    evidence = _evidence(query, [pool.passages[c.id] for c in head], pool.encoder)
    found = dict(zip((c.id for c in head), evidence.tolist(), strict=True))
    moved = [replace(c, score=(1 - WEIGHT) * c.score + WEIGHT * found.get(c.id, 0.0)) for c in candidates]
    return sorted(moved, key=lambda candidate: (-candidate.score, candidate.id))


def _evidence(query: Query, passages: Sequence[Passage], encoder: Encoder) -> FloatArray:
    """(passages,): the score of each one's best sentence, at most 1."""
    read = [_sentences(passage) for passage in passages]
    starts = np.cumsum([0, *(len(each) for each in read[:-1])])
    sentences = [sentence for each in read for sentence in each]
    languages = [passage.language for passage, each in zip(passages, read, strict=True) for _ in each]
    similarities = encoder.encode_passages(sentences) @ query.vector
    ids = [term_ids(*pair) for pair in zip(sentences, languages, strict=True)]
    shared = (_held(query.terms.indices, ids) * query.terms.values).sum(
        1
    )  # `@` once warned of invalid values
    weight = query.lexical_weight
    weight /= weight + DENSE_ODDS * (1 - weight)
    scores = (1 - weight) * _scaled(similarities, starts) + weight * _scaled(shared, starts)
    return np.maximum.reduceat(scores, starts)


def _sentences(passage: Passage) -> list[str]:
    """Return a passage's sentences and its context, the last one. A term is never split, since none holds a
    mark that ends a sentence."""
    sentences = [passage.text[start:end] for start, end in split(passage.text)]
    return [*sentences, passage.context] if passage.context else sentences


def _held(terms: NDArray[np.uint32], ids: Sequence[bytes]) -> NDArray[np.bool_]:
    """(sentences, terms): whether each sentence, given as `term_ids`, holds each of the sorted terms."""
    rows = np.repeat(np.arange(len(ids)), [len(each) // 4 for each in ids])
    flat = np.frombuffer(b"".join(ids), np.uint32)
    asked = np.isin(flat, terms)
    held = np.zeros((len(ids), len(terms)), dtype=np.bool_)
    held[rows[asked], np.searchsorted(terms, flat[asked])] = True
    return held


def _scaled(scores: FloatArray, starts: Places) -> FloatArray:
    """1 for the best sentence of all, 0 for the best of the worst passage; all 0 where these are equal.

    They are equal also where they differ by no more than float32 rounds off.
    """
    best = np.maximum.reduceat(scores, starts)
    low, high = float(best.min()), float(best.max())
    return (scores - low) / (high - low) if high - low > 1e-5 * abs(high) else np.zeros_like(scores)
