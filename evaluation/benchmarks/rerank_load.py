"""Long passages within a deadline: alone, at a third of the model's speed, and of 20 users at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np

from evaluation.benchmarks.report import Row
from evaluation.benchmarks.texts import passages, queries
from retrieval.reranker import NotRerankedError, Reranker, load_reranker
from retrieval.reranker.batching import BatchingReranker
from retrieval.reranker.metrics import Counters
from retrieval.reranker.model import Backend, Batch
from retrieval.reranker.plan import FIRST
from retrieval.types import FloatArray

CANDIDATES, CHARACTERS = 20, 1100
DEADLINE_S = 1.1  # what a search leaves of its 1.2 s
SEARCHES = 20  # by one user
USERS, ROUNDS = 20, 5
READS_S = 1.0  # whoever has an answer looks at it before they ask again


class Slowed:
    """A backend at a third of its speed."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.token_budget = backend.token_budget

    def forward(self, batch: Batch) -> FloatArray:
        started = time.monotonic()
        scores = self._backend.forward(batch)
        time.sleep(2 * (time.monotonic() - started))
        return scores


def run(model: str) -> list[Row]:
    """Raises what `load_reranker` does."""
    reranker, slow = load_reranker(model), load_reranker(model)
    slow.backend = Slowed(slow.backend)
    return [
        *_rows("alone", reranker, 1),
        *_rows("a third of the speed", slow, 1),
        *_rows(f"{USERS} users at once", reranker, USERS),
    ]


def _rows(name: str, reranker: Reranker, users: int) -> list[Row]:
    """Rows: how many searches of `CANDIDATES` passages had their first five scored in time, and how deep."""
    with _batching(reranker) as batching, ThreadPoolExecutor(users) as pool:
        asked = queries(users)
        depths = np.array([d for found in pool.map(lambda q: _ask(batching, q, users), asked) for d in found])
    page = f"{CANDIDATES} passages of {CHARACTERS} characters, {name}"
    return [
        Row(f"{page}: first {FIRST} in time", 100 * float(np.mean(depths >= FIRST)), "% of searches"),
        Row(f"{page}: in time", float(np.mean(depths)), "candidates, mean"),
    ]


@contextmanager
def _batching(reranker: Reranker) -> Iterator[BatchingReranker]:
    batching = BatchingReranker(reranker, Counters())
    batching.warm_up()
    yield batching
    batching.close()


def _ask(batching: BatchingReranker, query: str, users: int) -> list[int]:
    depths = []
    for _ in range(SEARCHES if users == 1 else ROUNDS):
        depths.append(_depth(batching, [(query, text[:CHARACTERS]) for text in passages(CANDIDATES)]))
        if users > 1:
            time.sleep(READS_S)
    return depths


def _depth(batching: BatchingReranker, pairs: Sequence[tuple[str, str]]) -> int:
    try:
        scores = batching.score(pairs, deadline=time.monotonic() + DEADLINE_S)
    except NotRerankedError:
        return 0
    return int(np.isfinite(scores.values).sum())
