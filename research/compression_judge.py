"""The scores that each variant of the reranker gives, and its time."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from research.candidates import JudgedSet
from research.compression_models import Variant
from retrieval.reranker import Reranker, load_reranker
from retrieval.reranker.model import Batch
from retrieval.types import FloatArray

PAIRS, TOKENS, REPEATS = 32, 128, 9


def scores(variant: Variant, judged: JudgedSet, work: Path) -> dict[str, FloatArray]:
    """Return scores by query, one for each candidate; they are kept in `work`."""
    kept = work / variant.key / f"{judged.name}-{len(judged.queries)}.json"
    if not kept.exists():
        print(f"{variant.key} on {judged.name}", flush=True)
        reranker = load_reranker(variant.folder, backend=variant.backend)
        found = {
            id: reranker.score([(query, judged.texts[document]) for document, _ in judged.candidates[id]])
            for id, query in judged.queries.items()
        }
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps({id: row.tolist() for id, row in found.items()}), encoding="utf-8")
    rows = json.loads(kept.read_text(encoding="utf-8"))
    return {id: np.array(row, dtype=np.float32) for id, row in rows.items()}


def milliseconds(variants: Sequence[Variant]) -> dict[str, float]:
    """Return by key the median milliseconds for 32 pairs of 128 tokens, in the product's batches.

    Variants take turns, so that a busy moment of the machine strikes all of them. FP16 is left out: CPUs
    convert it to float32 at every step.
    """
    timed = {v.key: load_reranker(v.folder, backend=v.backend) for v in variants if v.precision != "FP16"}
    ids = np.random.default_rng(0).integers(1000, 5000, (PAIRS, TOKENS))
    types = np.zeros_like(ids)
    types[:, TOKENS // 8 :] = 1
    whole = Batch(ids, types, np.ones_like(ids))
    seconds = [[_seconds(reranker, whole) for reranker in timed.values()] for _ in range(REPEATS + 1)]
    medians = 1000 * np.median(seconds[1:], axis=0)  # the first round warms up
    return dict(zip(timed, medians.tolist(), strict=True))


def _seconds(reranker: Reranker, whole: Batch) -> float:
    size = max(1, reranker.backend.token_budget // TOKENS)
    started = time.perf_counter()
    for start in range(0, PAIRS, size):
        rows = slice(start, start + size)
        reranker.backend.forward(Batch(*(getattr(whole, name)[rows] for name in Batch.__slots__)))
    return time.perf_counter() - started
