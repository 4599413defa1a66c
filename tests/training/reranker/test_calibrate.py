"""The reranker's weight and spread, on searches in a real index."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval.encoder import load_encoder
from retrieval.types import FloatArray
from tests.training.support import corpus, write_tiny_model
from training.base.sources import Pair
from training.reranker.calibrate import WEIGHTS, calibrate

pytestmark = pytest.mark.torch


class KnowsTheAnswer:
    """Scores 4 for a query's own passage and 0 for others; nothing for a query that it cannot read."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._own = {pair.query: pair.positive for pair in pairs}
        self.unread = pairs[0].query

    def score(self, pairs: Sequence[tuple[str, str]]) -> FloatArray:
        scores = [4.0 * (self._own[query] == passage) for query, passage in pairs]
        return np.array(scores, np.float32) * (np.nan if pairs[0][0] == self.unread else 1)


def test_a_query_that_cannot_be_read_should_not_spoil_weight_and_spread(tmp_path: Path) -> None:
    texts = [passage.text for document in corpus(60) for passage in document]
    pairs = [Pair(" ".join(text.split()[:3]), text) for text in dict.fromkeys(texts)]
    reranker: Any = KnowsTheAnswer(pairs)
    weight, spread = calibrate(
        reranker, load_encoder(write_tiny_model(tmp_path / "encoder")), [pairs[:20]], [pairs]
    )
    assert weight in WEIGHTS
    assert weight > 0
    one_of_twenty = np.array([4.0] + 19 * [0.0])
    assert spread == pytest.approx(one_of_twenty.std(), rel=0.1)
