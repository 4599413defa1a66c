"""Fusion weights fitted to a corpus by queries made of its own sentences; no queries or judgements are read.

A pseudo-query is a random half of a sentence's words, and the right answer is the passage it was taken from,
without that sentence. Of what was tried (three, five and eight rarest words, whole sentences, halves), halves
led to the best weights on the real queries of six English sets.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from retrieval.ranking import DEPTH
from retrieval.ranking.fusion import FusionWeights, script_of
from retrieval.types import FloatArray, Passage
from training.bags import unit
from training.bm25 import Bm25
from training.pairs import is_informative, split_sentences

MINIMUM_QUERIES = 40
_MAXIMUM_QUERIES = 400
_MAXIMUM_PASSAGES = 5_000
# The rest is prior: pseudo-queries are made of the corpus's own words, and there are a few hundred of them.
# On nine sets, 0.15 to 0.25 gave the best mean, and no set of a model that has learned lost more than 0.002
# to its better leg; with 0.5, one lost 0.01.
_TRUST = 0.2
_GRID = np.arange(0, 1.01, 0.05)
# Weights this close to the best nDCG are as good, so that their mean is taken.
_AS_GOOD = 0.003
_LOG2 = np.log2(np.arange(2, 12))


@dataclass(frozen=True, slots=True)
class FusionReport:
    """What was measured for one script: nDCG@10 of the pseudo-queries at each lexical weight."""

    script: str  # a field of `FusionWeights`
    queries: int
    prior: float
    weight: float
    curve: Mapping[float, float]


def calibrate(
    encode: Callable[[Sequence[str]], FloatArray],
    held_out: Sequence[Passage],
    others: Sequence[Passage],
    prior: FusionWeights,
    *,
    seed: int = 0,
) -> tuple[FusionWeights, list[FusionReport]]:
    """The weights for a corpus, `prior` where there is nothing to learn from, and what they rest on.

    `encode` gives (texts, dimensions) vectors. Queries are made of `held_out`, which the encoder has not
    learned from; the `others` compete with them.
    """
    draw = random.Random(seed)
    cut = [(passage, *taken) for passage in held_out if (taken := _take_out(passage, draw))]
    draw.shuffle(cut)
    cut = cut[:_MAXIMUM_QUERIES]
    found = [script_of(query) for _, query, _ in cut]
    scripts = {script: [script == each for each in found] for script in ("cjk", "korean", "spaced")}
    if max(map(sum, scripts.values()), default=0) < MINIMUM_QUERIES:
        return prior, []
    passages = [rest for _, _, rest in cut]
    passages += others[: _MAXIMUM_PASSAGES - len(cut)]
    queries = [query for _, query, _ in cut]
    ndcg = _ndcg_by_weight(*_legs(encode, queries, passages))
    reports = [
        _report(script, ndcg[:, np.array(mine)], getattr(prior, script))
        for script, mine in scripts.items()
        if sum(mine) >= MINIMUM_QUERIES
    ]
    return replace(prior, **{report.script: report.weight for report in reports}), reports


def _take_out(passage: Passage, draw: random.Random) -> tuple[str, Passage] | None:
    """Half of the words of one of its sentences, and the passage without that sentence."""
    sentences = split_sentences(passage.text)
    choices = [i for i, sentence in enumerate(sentences) if is_informative(sentence, least=5)]
    if len(sentences) < 2 or not choices:
        return None
    i = draw.choice(choices)
    rest = replace(passage, text=" ".join(sentences[:i] + sentences[i + 1 :]))
    return _half(sentences[i], draw), rest


def _half(sentence: str, draw: random.Random) -> str:
    words = sentence.split()
    if len(words) < 4:  # Chinese and Japanese have no spaces: half of its length, in one piece
        start = draw.randrange(len(sentence) // 2 + 1)
        return sentence[start : start + len(sentence) // 2]
    kept = sorted(draw.sample(range(len(words)), (len(words) + 1) // 2))
    return " ".join(words[i] for i in kept)


def _legs(
    encode: Callable[[Sequence[str]], FloatArray], queries: Sequence[str], passages: Sequence[Passage]
) -> tuple[FloatArray, FloatArray]:
    """(queries, passages) each: the scores of the dense and the lexical leg, as fusion scales them."""
    dense = unit(encode(queries)) @ unit(encode([passage.full for passage in passages])).T
    return _scaled(dense), _scaled(Bm25(passages).scores(queries))


def _scaled(scores: FloatArray) -> FloatArray:
    """The best of each row from 0 for the last of the pool to 1; nothing for the rest (see `fuse`)."""
    pool = min(DEPTH, scores.shape[1])
    low = -np.partition(-scores, pool - 1, axis=1)[:, pool - 1 : pool]
    high = scores.max(axis=1, keepdims=True)
    return np.asarray(np.clip((scores - low) / np.maximum(high - low, 1e-9), 0, 1), dtype=np.float32)


def _ndcg_by_weight(dense: FloatArray, lexical: FloatArray) -> NDArray[np.float64]:
    """(weights, queries): nDCG@10 where passage i is right for query i."""
    own = np.arange(len(dense))
    rows = []
    for weight in _GRID:
        fused = (1 - weight) * dense + weight * lexical
        rank = (fused > fused[own, own][:, None]).sum(axis=1)
        rows.append(np.where(rank < 10, 1 / _LOG2[np.minimum(rank, 9)], 0))
    return np.array(rows)


def _report(script: str, ndcg: NDArray[np.float64], prior: float) -> FusionReport:
    curve = ndcg.mean(axis=1)
    best = float(_GRID[curve >= curve.max() - _AS_GOOD].mean())
    return FusionReport(
        script=script,
        queries=ndcg.shape[1],
        prior=prior,
        weight=round((1 - _TRUST) * prior + _TRUST * best, 3),
        curve={round(float(w), 2): round(float(v), 4) for w, v in zip(_GRID, curve, strict=True)},
    )
