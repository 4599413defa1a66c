from __future__ import annotations

import numpy as np
import pytest

from retrieval.reranker.model import batches
from tests.retrieval.reranker.tiny import OverlapBackend, tiny_reranker


def test_score_should_keep_the_order_of_the_pairs_whatever_their_lengths() -> None:
    scores = tiny_reranker().score([("w1", "w1 w2 w3 w4 w5"), ("w1", "w1"), ("w1", "w2 w1 w3")])
    assert scores == pytest.approx([2 / 6, 1.0, 2 / 4])  # [SEP] is shared, too


def test_score_should_pad_each_batch_to_its_own_longest() -> None:
    backend = OverlapBackend(token_budget=12)
    tiny_reranker(backend).score([("w1", "w1"), ("w1", "w1 " * 20), ("w1", "w2")])
    assert backend.shapes == [(2, 5), (1, 24)]


def test_score_should_cut_a_long_passage_and_keep_the_query() -> None:
    backend = OverlapBackend()
    tiny_reranker(backend, max_length=10).score([("w1 w2", "w3 " * 100)])
    assert backend.shapes == [(1, 10)]


def test_score_should_be_nan_for_a_script_the_model_never_saw() -> None:
    scores = tiny_reranker().score([("w1", "한국어 문장 입니다"), ("w1", "w1"), ("독일 어디", "w1")])
    assert np.isnan(scores).tolist() == [True, False, True]


def test_score_should_accept_lone_surrogates_and_empty_texts() -> None:
    assert tiny_reranker().score([("w1", "w1 w2 w3 \ud800"), ("w1", "")]).shape == (2,)


def test_score_of_no_pairs_should_be_empty() -> None:
    assert tiny_reranker().score([]).shape == (0,)


def test_batches_should_hold_at_most_the_budget_or_one_pair() -> None:
    lengths = [1, 2, 3, 10, 10, 50]
    runs = list(batches(lengths, 20))
    assert [i for run in runs for i in run] == list(range(6))
    assert all(len(run) == 1 or len(run) * lengths[run[-1]] <= 20 for run in runs)
    assert len(runs) == 3
