"""Milliseconds to rerank the candidates of one query: ours, and sentence-transformers with the same model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec

import numpy as np

from benchmarks.report import Row, compared
from benchmarks.texts import passages, queries
from retrieval.reranker import load_reranker
from training.evaluate import RERANKED

QUERIES = 10
REFERENCE = "sentence-transformers, same model, float32"

Pairs = Sequence[tuple[str, str]]


def run(model: str) -> list[Row]:
    """`model`: a reranker's folder, or its name. Raises what `load_reranker` does."""
    reranker = load_reranker(model)
    window = reranker.card.max_length
    rows = [Row("Quarry", _p50(reranker.score), "ms, p50")]
    if find_spec("sentence_transformers"):
        from sentence_transformers import CrossEncoder

        # Half precision, as some models are stored, is slow on CPUs.
        peer = CrossEncoder(model, device="cpu", max_length=window, model_kwargs={"dtype": "float32"})
        rows.append(Row(REFERENCE, _p50(peer.predict), "ms, p50"))
    return compared(rows, REFERENCE)


def _p50(score: Callable[[Pairs], object]) -> float:
    """Of a query's `RERANKED` passages, of about 180 words each."""
    texts = passages(RERANKED)
    score([("warm up", text) for text in texts[:2]])
    milliseconds = []
    for query in queries(QUERIES):
        started = time.perf_counter()
        score([(query, text) for text in texts])
        milliseconds.append((time.perf_counter() - started) * 1000)
    return float(np.median(milliseconds))
