"""Learning the corpus: fit a static model to the documents that it serves, without queries or judgements."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from statistics import fmean

import numpy as np

from retrieval.ranking.fusion import DEFAULT_WEIGHTS, LEARNED_WEIGHTS, FusionWeights
from retrieval.types import FloatArray, Passage
from training.bags import BagMaker
from training.calibrate import FusionReport, calibrate
from training.contrastive import PairBags, TrainingPlan, pair_bags, train
from training.held_out import Example, HeldOut
from training.pair_noise import LEARNED, SHIPPED, PairVectors, damping
from training.pairs import SelfPair, sample, sample_pairs
from training.scoring import Quality
from training.static_model import StaticModel, read_model, write_model

MINIMUM_PASSAGES = 200
MINIMUM_PAIRS = 400
# Bounds time and memory however large the corpus is.
MAXIMUM_PASSAGES = 40_000
MAXIMUM_PAIRS = 35_000
# Enough passages for a verdict, but never more than a third of a small corpus.
_HELD_OUT_SHARE, _LEAST_HELD_OUT, _MAXIMUM_HELD_OUT_PAIRS = 0.1, 100, 2_000
# How much a row grows with the rarity of its token in the corpus, before the training proper.
_RARITY = 0.3
# nDCG@10 on held-out pairs that the other documents may lose: what chance moves.
_MAXIMUM_LOST = 0.005
_MAXIMUM_COUNTED = 20_000

Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class AdaptReport:
    """What came of learning. `before` and `after` are by dimension, on pairs of passages held out of it."""

    better: bool
    reason: str
    passages: int
    training_pairs: int = 0
    held_out_pairs: int = 0
    before: Mapping[int, Quality] = field(default_factory=dict)
    after: Mapping[int, Quality] = field(default_factory=dict)
    weights: FusionWeights = DEFAULT_WEIGHTS
    fusion: Sequence[FusionReport] = ()
    examples: Sequence[Example] = ()
    seconds: float = 0.0


def adapt(
    encoder: str,
    documents: Iterable[Sequence[Passage]],
    output_folder: Path,
    *,
    others: Iterable[Sequence[Passage]] = (),
    seed: int = 0,
    progress: Progress = lambda share: None,
) -> AdaptReport:
    """Train the static model `encoder`, a folder or a name, on `documents` (each the passages of one).

    1. Learn from nine tenths.  2. Judge by the rest, against the model as it is served unlearned.  3. Fit the
    fusion weights by the rest.  4. Only where it was better: learn again from everything, and write the mean
    of both tables to `output_folder`, as `write_model` does. Otherwise nothing is written, and `reason` says
    why. The model also serves the `others`, which are learned too and may not be ranked worse than before.
    `progress` gets the share done, 0 to 1. The same documents in the same order and the same seed give the
    same model on one machine.

    The mean: model soups (Wortsman et al., arXiv:2203.05482); +0.0016 nDCG@10 on the mean of six sets and
    three seeds, and half as far apart by seed.

    Raises:
        EncoderUnavailableError, NotStaticError: as `read_model`.
    """
    started = time.monotonic()
    draw, model = random.Random(seed), read_model(encoder)
    beside, _ = sample(chain.from_iterable(others), MAXIMUM_PASSAGES // 2, draw)
    kept, total = sample(chain.from_iterable(documents), MAXIMUM_PASSAGES - len(beside), draw)
    if total < MINIMUM_PASSAGES:
        return AdaptReport(
            False, f"{total} passages: too few to learn from (at least {MINIMUM_PASSAGES}).", total
        )
    own, other = _Parts.of(kept, 0, draw), _Parts.of(beside, len(kept), draw)
    pairs = _pairs(own.learning, other.learning, seed)
    test_pairs = sample_pairs(own.held_out, limit=_MAXIMUM_HELD_OUT_PAIRS, seed=seed)
    if len(pairs) < MINIMUM_PAIRS or not test_pairs:
        reason = (
            f"{len(pairs)} pairs from {total} passages: too few to learn from (at least {MINIMUM_PAIRS})."
        )
        return AdaptReport(False, reason, total, len(pairs), len(test_pairs))

    bags = BagMaker(model.tokenizer)
    learning = own.learning + other.learning
    sides = pair_bags(bags, pairs)
    trained = _trained(model, bags, learning, sides, seed, lambda share: progress(share * 0.45))
    learned = _damped(trained, sides, LEARNED)
    served = _damped(model.table, sides, SHIPPED)  # what an index version makes of the model as it is
    test = HeldOut.of(bags, test_pairs, own.held_out, own.learning)
    cuts = matryoshka_cuts(model.table.shape[1])
    before, after = test.qualities(served, cuts), test.qualities(learned, cuts)
    # By all cuts: any of them may be served, and together they say more than one where pairs are few.
    old, new = (fmean(found.ndcg_at_10 for found in by_cut.values()) for by_cut in (before, after))
    better = new > old
    reason = f"nDCG@10 on held-out pairs {old:.3f}, then {new:.3f}"
    reason += f", the mean of {', '.join(map(str, cuts))} dimensions." if len(cuts) > 1 else "."
    if better and (lost := _lost(bags, other, served, learned, seed)) > _MAXIMUM_LOST:
        better, reason = False, f"{reason} The other documents would lose {lost:.3f}."
    judged, prior = (learned, LEARNED_WEIGHTS) if better else (served, DEFAULT_WEIGHTS)
    weights, fusion = calibrate(
        lambda texts: np.asarray(bags(texts) @ judged, dtype=np.float32),
        [passage for _, passage in own.held_out],
        [passage for _, passage in own.learning],
        prior,
        seed=seed,
    )
    progress(0.5)
    if better:
        sides = pair_bags(bags, _pairs(own.all, other.all, seed + 1))
        again = _trained(
            model, bags, own.all + other.all, sides, seed + 1, lambda share: progress(0.5 + share * 0.45)
        )
        mean = np.float32(0.5) * (trained + again)
        write_model(replace(model, table=_damped(mean, sides, LEARNED)), output_folder)
    progress(1.0)
    return AdaptReport(
        better=better,
        reason=reason,
        passages=total,
        training_pairs=len(pairs),
        held_out_pairs=len(test_pairs),
        before=before,
        after=after,
        weights=weights,
        fusion=fusion,
        examples=test.examples(served, learned) if better else (),
        seconds=time.monotonic() - started,
    )


def plan_for(dimensions: int, pairs: int) -> TrainingPlan:
    """A small corpus gets small batches: a batch of all its pairs would give the table too few steps.

    The temperature lies between those that served best corpora of many subjects (0.15 and more) and those of
    many passages about each subject (0.07).
    """
    return TrainingPlan(
        batch_size=1024 if pairs > 20_000 else 256,
        temperature=0.12,
        dimensions=tuple(matryoshka_cuts(dimensions)),
    )


def matryoshka_cuts(dimensions: int) -> list[int]:
    """The full size and its halves down to 64 (smaller models: the full size alone)."""
    cuts = [dimensions]
    while cuts[-1] // 2 >= 64:
        cuts.append(cuts[-1] // 2)
    return cuts


_Numbered = list[tuple[int, Passage]]


def _trained(
    model: StaticModel, bags: BagMaker, passages: _Numbered, sides: PairBags, seed: int, progress: Progress
) -> FloatArray:
    """The model's table (tokens, dimensions), rows weighed by rarity, after training on the pairs."""
    table = model.table * _rarity(bags, [passage for _, passage in passages[:_MAXIMUM_COUNTED]])
    plan = plan_for(table.shape[1], sides.queries.shape[0])
    train(table, sides, plan, seed=seed, progress=lambda share, _: progress(share))
    return table


def _damped(table: FloatArray, sides: PairBags, exponent: float) -> FloatArray:
    return np.asarray(table @ damping(PairVectors.of(table, sides.first(_MAXIMUM_COUNTED)).noise(), exponent))


def _rarity(bags: BagMaker, passages: Sequence[Passage]) -> FloatArray:
    """(tokens, 1): a factor for each row, by its token's BM25 IDF in the corpus; 1 for the mean IDF and for
    tokens that the corpus does not hold."""
    counted = bags([passage.full for passage in passages])
    holding = np.bincount(counted.indices, minlength=counted.shape[1])
    idf = np.log(1 + (len(passages) - holding + 0.5) / (holding + 0.5))
    seen = holding > 0
    factor = np.where(seen, (idf / idf[seen].mean()) ** _RARITY, 1.0)
    return np.asarray(factor[:, None], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Numbered passages, of which some are held out: whole ones, never single sentences of one, since the
    rest of a passage would give them away."""

    learning: _Numbered
    held_out: _Numbered

    @classmethod
    def of(cls, passages: Sequence[Passage], first: int, draw: random.Random) -> _Parts:
        numbered = list(enumerate(passages, first))
        draw.shuffle(numbered)
        count = max(int(len(numbered) * _HELD_OUT_SHARE), min(_LEAST_HELD_OUT, len(numbered) // 3))
        return cls(numbered[count:], numbered[:count])

    @property
    def all(self) -> _Numbered:
        return self.learning + self.held_out


def _pairs(own: _Numbered, other: _Numbered, seed: int) -> list[SelfPair]:
    """At most half of them from the others."""
    beside = sample_pairs(other, limit=MAXIMUM_PAIRS // 2, seed=seed)
    return sample_pairs(own, limit=MAXIMUM_PAIRS - len(beside), seed=seed) + beside


def _lost(bags: BagMaker, other: _Parts, before: FloatArray, after: FloatArray, seed: int) -> float:
    """Fall of nDCG@10 on held-out pairs of the others; 0 where there are none."""
    pairs = sample_pairs(other.held_out, limit=_MAXIMUM_HELD_OUT_PAIRS, seed=seed)
    if not pairs:
        return 0.0
    test, full = HeldOut.of(bags, pairs, other.held_out, other.learning), before.shape[1]
    old, new = (test.qualities(table, [full])[full].ndcg_at_10 for table in (before, after))
    return old - new
