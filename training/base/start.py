"""The start table: BERT's pieces as the teacher sees them alone, other pieces small and random."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from tokenizers import Tokenizer

from retrieval.types import FloatArray
from training.bags import BagMaker
from training.base.vocabulary import (
    HANGUL,
    HIRAGANA,
    KATAKANA,
    UNKNOWN,
    both_forms,
    build_tokenizer,
    english_pieces,
    ideographs,
    learned_pieces,
    symbols,
)

DIMENSIONS = 512
# 36,600 rows of 512 float16 are 37.5 MB.
_ENGLISH, _KOREAN, _HIRAGANA, _KATAKANA = 25_000, 6_200, 500, 500
# Arora, Liang and Ma 2017 weigh a word by a / (a + p). Of 1e-3 and 1e-4 the latter ranked better.
_SIF = 1e-4


def make_tokenizer(
    bert_vocabulary: Sequence[str],
    english: Iterable[str],
    korean: Sequence[str],
    chinese_japanese: Sequence[str],
) -> Tokenizer:
    """One vocabulary for all four languages, from BERT's pieces and the texts."""
    counts = _piece_counts(bert_vocabulary, english)
    syllables = [piece for piece in learned_pieces(korean, script=HANGUL, size=_KOREAN) if piece]
    kana = [chr(code) for code in (*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), 0x30FC)]
    pieces = [
        UNKNOWN,
        *english_pieces(bert_vocabulary, counts, size=_ENGLISH),
        *symbols(),
        *both_forms(kana),
        *ideographs([*chinese_japanese, *korean]),
        *learned_pieces(chinese_japanese, script=HIRAGANA, size=_HIRAGANA),
        *learned_pieces(chinese_japanese, script=KATAKANA, size=_KATAKANA),
        *both_forms(dict.fromkeys(piece for piece in syllables if len(piece) == 1)),
        *syllables,
    ]
    return build_tokenizer(list(dict.fromkeys(pieces)))


def start_table(
    tokenizer: Tokenizer,
    teacher_pieces: dict[str, FloatArray],
    counts: FloatArray,
    axes: FloatArray,
    *,
    seed: int,
) -> FloatArray:
    """(tokens, 512): teacher rows on its principal `axes` (384, 384), SIF weights, the rest random.

    `counts` (tokens,) says how often the training texts hold each token.
    """
    random = np.random.default_rng(seed)
    table = random.normal(0, 0.02, (tokenizer.get_vocab_size(), DIMENSIONS)).astype(np.float32)
    for piece, row in tokenizer.get_vocab().items():
        if piece in teacher_pieces:
            table[row, : len(axes)] = teacher_pieces[piece] @ axes
            table[row, len(axes) :] *= 0.25
    weights = _SIF / (_SIF + counts / counts.sum())
    table *= weights[:, None].astype(np.float32)
    table[tokenizer.token_to_id(UNKNOWN)] = 0
    return table


def principal_axes(vectors: FloatArray) -> FloatArray:
    """(d, d): an orthogonal basis of falling variance, so that a cut to the first dimensions keeps most."""
    _, basis = np.linalg.eigh(vectors.T @ vectors)
    return np.ascontiguousarray(basis[:, ::-1], dtype=np.float32)


def _piece_counts(bert_vocabulary: Sequence[str], texts: Iterable[str]) -> Counter[str]:
    pieces = [UNKNOWN, *(piece for piece in bert_vocabulary if piece != UNKNOWN)]
    counts = BagMaker(build_tokenizer(pieces))(list(texts)).sum(axis=0)
    return Counter(dict(zip(pieces, np.asarray(counts).ravel().tolist(), strict=True)))
