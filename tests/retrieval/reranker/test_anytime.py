"""Long passages before a model that is slow or has 20 users: a stand-in with a fixed cost a token."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from retrieval.reranker.batching import BatchingReranker
from retrieval.reranker.errors import NotRerankedError
from retrieval.reranker.metrics import Counters
from retrieval.reranker.model import Batch
from retrieval.reranker.plan import FIRST
from retrieval.types import FloatArray
from tests.retrieval.reranker.tiny import OverlapBackend, tiny_reranker

# 20 passages of 1,100 characters take 1.25 s on two AVX2 cores, and a search has 1.1 s of its 1.2 for them.
PASSAGES, WORDS_OF_A_PASSAGE = 20, 230
SECONDS_PER_TOKEN = 1.25 / (PASSAGES * (WORDS_OF_A_PASSAGE + 9))
DEADLINE_S = 1.1
READS_S = 1.0  # whoever has an answer looks at it
MOST_LATE = 0.05


class PacedBackend(OverlapBackend):
    """So many seconds for a token, whatever else the machine does."""

    def __init__(self) -> None:
        super().__init__(token_budget=4608)
        self.seconds_per_token = SECONDS_PER_TOKEN

    def forward(self, batch: Batch) -> FloatArray:
        time.sleep(float(batch.attention_mask.sum()) * self.seconds_per_token)
        return super().forward(batch)


@pytest.fixture
def backend() -> PacedBackend:
    return PacedBackend()


@pytest.fixture
def batching(backend: PacedBackend) -> Iterator[BatchingReranker]:
    made = BatchingReranker(tiny_reranker(backend, max_length=320), Counters())
    made.score(page(0)[:5])
    yield made
    made.close()


def page(seed: int) -> list[tuple[str, str]]:
    random = np.random.default_rng(seed)
    words = [f"w{number}" for number in range(50)]
    query = " ".join(random.choice(words, 6))
    return [(query, " ".join(random.choice(words, WORDS_OF_A_PASSAGE))) for _ in range(PASSAGES)]


def depth(batching: BatchingReranker, seed: int) -> int:
    """How many of the first candidates have scores at the deadline; all of those before the last one have."""
    started = time.monotonic()
    try:
        scores = batching.score(page(seed), deadline=started + DEADLINE_S)
    except NotRerankedError:
        return 0
    found = np.flatnonzero(np.isfinite(scores.values))
    assert found.tolist() == list(range(len(found)))
    return len(found)


def test_a_model_at_a_third_of_its_speed_should_score_the_first_five_in_time(
    backend: PacedBackend, batching: BatchingReranker
) -> None:
    assert depth(batching, 1) == PASSAGES, "at its usual speed it reads something of all"
    backend.seconds_per_token *= 3  # the next search comes while nobody knows
    depths = [depth(batching, seed) for seed in range(2, 14)]
    assert np.mean([found < FIRST for found in depths]) <= MOST_LATE, depths


def test_twenty_users_at_once_should_have_their_first_five_in_time(
    backend: PacedBackend, batching: BatchingReranker
) -> None:
    """All ask at the same moment, and each asks again a moment after the answer.

    The model is twice as fast as above, which leaves something to a machine that is busy with other things.
    """
    backend.seconds_per_token /= 2

    def ask(user: int) -> list[int]:
        found = []
        for search in range(5):
            found.append(depth(batching, 100 * user + search))
            time.sleep(READS_S)
        return found

    with ThreadPoolExecutor(20) as users:
        depths = [found for each in users.map(ask, range(20)) for found in each]
    assert np.mean([found < FIRST for found in depths]) <= MOST_LATE, depths


def test_what_came_in_time_should_say_what_was_read_whole(batching: BatchingReranker) -> None:
    whole = batching.score(page(1))
    assert whole.whole.all()
    some = batching.score(page(1), deadline=time.monotonic() + DEADLINE_S / 2)
    assert np.isneginf(some.values[~some.whole]).sum() < PASSAGES
    assert some.values[some.whole] == pytest.approx(whole.values[some.whole])
