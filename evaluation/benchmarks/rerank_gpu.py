"""The rerank worker on a GPU: FP16 against FP32, many callers against one, and a page of 100 passages.

    python -m evaluation.benchmarks.rerank_gpu MODEL_FOLDER [--data BEIR_FOLDER] [--json FILE]

With a judged set, also how much nDCG@10 by the model's scores alone differs between the precisions. Needs
torch with CUDA and sentence-transformers, and nothing of the web application or the index.
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

from evaluation.benchmarks.report import Row, as_json, compared
from evaluation.benchmarks.texts import passages, queries
from evaluation.judged import Judged, load, ndcg
from retrieval.reranker import Reranker, load_reranker
from retrieval.reranker.batching import BatchingReranker
from retrieval.reranker.metrics import Counters
from retrieval.reranker.model import Batch
from retrieval.types import FloatArray

BATCH, TOKENS = 64, 256
PAGE = 100  # passages
CALLERS, REQUESTS, PER_REQUEST = 16, 20, 20
REPEATS = 30
JUDGED = 200  # queries


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="a judged set in BEIR's layout")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    rows = run(options.model, options.data)
    for row in rows:
        ratio = f"   {row.ratio:.3g} x {row.ratio_to}" if row.ratio is not None else ""
        print(f"{row.name:<52}{row.value:>12,.3f} {row.unit}{ratio}")
    if options.json:
        options.json.write_text(json.dumps(as_json("rerank-gpu", rows), indent=1) + "\n")


def run(model: str, data: Path | None = None) -> list[Row]:
    """`data`: a judged set. Raises RuntimeError without a CUDA device, and what `load` does."""
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
    if data:
        rows += _quality(half, full, data)
    one, many = "FP16, one caller", f"FP16, {CALLERS} callers"
    rates = [Row(many, _throughput(half, CALLERS), "pairs/s"), Row(one, _throughput(half, 1), "pairs/s")]
    return rows + compared(rates, one)


def _quality(half: Reranker, full: Reranker, data: Path) -> list[Row]:
    judged = list(load(data, JUDGED))
    fp16, fp32 = (
        float(np.mean([ndcg(_scores(reranker, each), each.gains) for each in judged]))
        for reranker in (half, full)
    )
    values = {"FP16": fp16, "FP32": fp32, "FP16 less FP32": fp16 - fp32}
    return [Row(f"{name}, {len(judged)} queries of {data.name}", v, "nDCG@10") for name, v in values.items()]


def _scores(reranker: Reranker, judged: Judged) -> FloatArray:
    return reranker.score([(judged.query, passage) for passage in judged.passages])


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
