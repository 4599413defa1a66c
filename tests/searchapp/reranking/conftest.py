"""A library in the words of a tiny reranker, and that reranker in real threads: at work, hung or closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from library.models import Library
from retrieval.reranker.batching import BatchingReranker
from searchapp import scoring
from searchapp.metrics import RerankMetrics
from searchapp.search import search
from tests.factories import People, ready_document
from tests.retrieval.reranker.tiny import OverlapBackend, tiny_reranker

DEADLINE_MS = 400
Use = Callable[[OverlapBackend], BatchingReranker]


@pytest.fixture
def library(people: People) -> Library:
    for number in range(4):
        text = " ".join(f"w{i}" for i in (number, *range(1, 20)))  # words of the tiny model
        ready_document(people.library, text, f"words-{number}.txt")
    search(people.colleague, "w1", rerank=False)  # the models of the first stage are loaded
    return people.library


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Use]:
    made: list[tuple[OverlapBackend, BatchingReranker]] = []

    def make(backend: OverlapBackend) -> BatchingReranker:
        batching = BatchingReranker(tiny_reranker(backend), RerankMetrics())
        made.append((backend, batching))
        monkeypatch.setattr(scoring, "_batching", lambda: batching)
        return batching

    yield make
    for backend, batching in made:
        backend.gate.set()
        batching.close()


def hung() -> OverlapBackend:
    backend = OverlapBackend()
    backend.gate.clear()
    return backend
