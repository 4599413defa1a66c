"""The rerank worker on a GPU: FP16 against FP32, many callers against one, and a page of 100 passages.

    python -m benchmarks.rerank_gpu MODEL_FOLDER [--json FILE]

Needs torch with CUDA and sentence-transformers, and nothing of the web application.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from scipy.stats import kendalltau

from benchmarks.report import Row, as_json, compared
from benchmarks.texts import passages, queries
from retrieval.reranker import Reranker, load_reranker
from retrieval.reranker.batching import BatchingReranker
from retrieval.reranker.metrics import Counters
from retrieval.reranker.model import Batch

BATCH, TOKENS = 64, 256
PAGE = 100  # passages
CALLERS, REQUESTS, PER_REQUEST = 16, 20, 20
REPEATS = 30


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    rows = run(options.model)
    for row in rows:
        ratio = f"   {row.ratio:.3g} x {row.ratio_to}" if row.ratio is not None else ""
        print(f"{row.name:<52}{row.value:>12,.3f} {row.unit}{ratio}")
    if options.json:
        options.json.write_text(json.dumps(as_json("rerank-gpu", rows), indent=1) + "\n")


def run(model: str) -> list[Row]:
    """Raises RuntimeError without a CUDA device."""
    half, full = load_reranker(model, backend="torch-fp16"), load_reranker(model, backend="torch-fp32")
    shape = f"{BATCH} x {TOKENS} tokens"
    rows = compared(
        [Row(f"FP32, {shape}", _forward(full), "ms"), Row(f"FP16, {shape}", _forward(half), "ms")],
        f"FP32, {shape}",
    )
    pairs = [(queries(1)[0], text) for text in passages(PAGE)]
    rows.append(Row(f"FP16, {PAGE} passages from text", _median(lambda: half.score(pairs)), "ms"))
    taus = [_tau(half, full, query) for query in queries(10)]
    rows.append(Row("FP16 and FP32, Kendall's tau, least of 10 queries", min(taus), ""))
    alone, together = _throughput(half, 1), _throughput(half, CALLERS)
    return rows + compared(
        [Row("one caller", alone, "pairs/s"), Row(f"{CALLERS} callers", together, "pairs/s")], "one caller"
    )


def _forward(reranker: Reranker) -> float:
    """Milliseconds of one full batch, its upload and download among them."""
    ids = np.random.default_rng(0).integers(1000, 10_000, (BATCH, TOKENS))
    batch = Batch(ids, np.zeros_like(ids), np.ones_like(ids))
    return _median(lambda: reranker.backend.forward(batch))


def _median(call: Callable[[], object]) -> float:
    for _ in range(5):
        call()
    milliseconds = []
    for _ in range(REPEATS):
        torch.cuda.synchronize()
        started = time.perf_counter()
        call()
        torch.cuda.synchronize()
        milliseconds.append((time.perf_counter() - started) * 1000)
    return float(np.median(milliseconds))


def _tau(half: Reranker, full: Reranker, query: str) -> float:
    pairs: Sequence[tuple[str, str]] = [(query, text) for text in passages(PAGE)]
    return float(kendalltau(half.score(pairs), full.score(pairs)).statistic)


def _throughput(reranker: Reranker, callers: int) -> float:
    """Pairs a second, each caller asking again as soon as it is answered."""
    batching = BatchingReranker(reranker, Counters())
    texts = passages(PER_REQUEST)

    def ask(query: str) -> None:
        for _ in range(REQUESTS):
            batching.score([(query, text) for text in texts])

    asked = queries(callers)
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(ask, asked[:1]))  # warm up
        started = time.perf_counter()
        list(pool.map(ask, asked))
        seconds = time.perf_counter() - started
    batching.close()
    return callers * REQUESTS * PER_REQUEST / seconds


if __name__ == "__main__":
    main()
