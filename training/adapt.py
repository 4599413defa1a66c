"""Learning the corpus: fit a static model to the documents that it serves, without queries or judgements."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix

from retrieval.types import FloatArray, Passage
from training.bags import BagMaker
from training.contrastive import PairBags, TrainingPlan, train
from training.pairs import SelfPair, sample_pairs
from training.scoring import Quality, score
from training.static_model import read_model, write_model

MINIMUM_PASSAGES = 200
MINIMUM_PAIRS = 400
# Bounds time and memory however large the corpus is.
MAXIMUM_PASSAGES = 40_000
MAXIMUM_PAIRS = 35_000
_HELD_OUT_SHARE, _MAXIMUM_HELD_OUT = 0.1, 2_000
# Passages learned from that the held-out ones compete with.
_CROWD = 5_000
_QUERY_TOKENS, _PASSAGE_TOKENS = 128, 512


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
    seconds: float = 0.0


def adapt(
    encoder_folder: Path,
    documents: Iterable[Sequence[Passage]],
    output_folder: Path,
    *,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> AdaptReport:
    """Train the static model in `encoder_folder` on `documents` (each the passages of one document).

    Writes a model folder of the same layout to `output_folder` only where it ranks the held-out pairs better;
    otherwise nothing is written, and `reason` says why. `progress` gets the share done, 0 to 1.
    The same documents in the same order and the same seed give the same model on one machine.

    Raises:
        OSError, ValueError: `encoder_folder` holds no static model in sentence-transformers' layout.
    """
    started = time.monotonic()
    kept, total = _sample_documents(documents, random.Random(seed))
    if total < MINIMUM_PASSAGES:
        return AdaptReport(
            False, f"{total} passages: too few to learn from (at least {MINIMUM_PASSAGES}).", total
        )
    learning, held_out = _split(kept, random.Random(seed))
    pairs = sample_pairs(learning, limit=MAXIMUM_PAIRS, seed=seed)
    test_pairs = sample_pairs(held_out, limit=_MAXIMUM_HELD_OUT, seed=seed)
    if len(pairs) < MINIMUM_PAIRS or not test_pairs:
        reason = (
            f"{len(pairs)} pairs from {total} passages: too few to learn from (at least {MINIMUM_PAIRS})."
        )
        return AdaptReport(False, reason, total, len(pairs), len(test_pairs))
    model = read_model(encoder_folder)
    bags = BagMaker(model.tokenizer)
    test = _HeldOut.of(bags, test_pairs, learning)
    plan = plan_for(model.table.shape[1], len(pairs))
    before = test.qualities(model.table, plan.dimensions)
    report_step = None if progress is None else lambda share, _: progress(share)
    train(model.table, pair_bags(bags, pairs), plan, seed=seed, progress=report_step)
    after = test.qualities(model.table, plan.dimensions)
    full = max(plan.dimensions)
    better = after[full].ndcg_at_10 > before[full].ndcg_at_10
    if better:
        write_model(model, output_folder)
    return AdaptReport(
        better=better,
        reason=f"nDCG@10 on held-out pairs {before[full].ndcg_at_10:.3f}, then {after[full].ndcg_at_10:.3f}.",
        passages=total,
        training_pairs=len(pairs),
        held_out_pairs=len(test_pairs),
        before=before,
        after=after,
        seconds=time.monotonic() - started,
    )


def plan_for(dimensions: int, pairs: int) -> TrainingPlan:
    """Matryoshka cuts at the full size and its halves down to 64 (smaller models: all in one).

    A small corpus gets small batches: a batch of all its pairs would give the table too few steps.
    """
    cuts = [dimensions]
    while cuts[-1] // 2 >= 64:
        cuts.append(cuts[-1] // 2)
    return TrainingPlan(batch_size=1024 if pairs > 20_000 else 256, dimensions=tuple(cuts))


def pair_bags(bags: BagMaker, pairs: Sequence[SelfPair]) -> PairBags:
    """The pairs as bags; pairs of one passage are not each other's negatives."""
    return PairBags(
        queries=bags([pair.query for pair in pairs], max_tokens=_QUERY_TOKENS),
        passages=bags([pair.passage for pair in pairs], max_tokens=_PASSAGE_TOKENS),
        groups=np.array([pair.group for pair in pairs]),
    )


def _sample_documents(
    documents: Iterable[Sequence[Passage]], random_: random.Random
) -> tuple[list[Passage], int]:
    """Up to `MAXIMUM_PASSAGES` passages, equally likely (reservoir sampling), and how many there were."""
    kept: list[Passage] = []
    total = 0
    for passage in (passage for document in documents for passage in document):
        total += 1
        if len(kept) < MAXIMUM_PASSAGES:
            kept.append(passage)
        elif (place := random_.randrange(total)) < MAXIMUM_PASSAGES:
            kept[place] = passage
    return kept, total


_Numbered = list[tuple[int, Passage]]


def _split(passages: Sequence[Passage], random_: random.Random) -> tuple[_Numbered, _Numbered]:
    """Whole passages are held out, never single sentences: the rest of a passage would give them away."""
    numbered = list(enumerate(passages))
    random_.shuffle(numbered)
    count = int(len(numbered) * _HELD_OUT_SHARE)
    return numbered[count:], numbered[:count]


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """Held-out queries, what they are ranked against, and which row is right for each."""

    queries: csr_matrix
    passages: csr_matrix
    right: np.ndarray[tuple[int], np.dtype[np.intp]]

    @classmethod
    def of(cls, bags: BagMaker, pairs: Sequence[SelfPair], others: Sequence[tuple[int, Passage]]) -> _HeldOut:
        """One pair of each passage (a sentence where it has any), among the passages learned from."""
        kept = list({pair.group: pair for pair in pairs}.values())
        crowd = [passage.full for _, passage in others[:_CROWD]]
        return cls(
            queries=bags([pair.query for pair in kept], max_tokens=_QUERY_TOKENS),
            passages=bags([pair.passage for pair in kept] + crowd, max_tokens=_PASSAGE_TOKENS),
            right=np.arange(len(kept)),
        )

    def qualities(self, table: FloatArray, dimensions: Sequence[int]) -> dict[int, Quality]:
        queries = np.asarray(self.queries @ table, dtype=np.float32)
        passages = np.asarray(self.passages @ table, dtype=np.float32)
        return {cut: score(queries, passages, self.right, dimensions=cut) for cut in dimensions}
