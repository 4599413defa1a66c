from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from retrieval.reranker.model import batches
from tests.retrieval.reranker.tiny import WORDS, OverlapBackend, tiny_reranker


def test_score_should_keep_the_order_of_the_pairs_whatever_their_lengths() -> None:
    scores = tiny_reranker().score([("w1", "w1 w2 w3 w4 w5"), ("w1", "w1"), ("w1", "w2 w1 w3")])
    assert scores == pytest.approx([2 / 6, 1.0, 2 / 4])  # [SEP] is shared, too


def test_score_should_pad_each_batch_to_its_own_longest() -> None:
    backend = OverlapBackend(token_budget=12)
    tiny_reranker(backend).score([("w1", "w1"), ("w1", "w1 " * 20), ("w1", "w2")])
    assert backend.shapes == [(2, 5), (1, 24)]


def test_a_long_passage_should_have_the_score_of_its_best_window_wherever_that_is() -> None:
    filler = "w3 " * 17
    passages = [f"w1 w2 {filler}", f"{filler} w1 w2", f"{filler[:24]} w1 w2 {filler[24:]}", filler]
    scores = tiny_reranker(max_length=12).score([("w1 w2", passage) for passage in passages])
    assert (scores[:3] > 2 * scores[3]).all()


def test_windows_should_overlap_hold_the_query_and_together_the_whole_passage() -> None:
    backend = OverlapBackend()
    passage = " ".join(f"w{i}" for i in range(10, 28))
    tiny_reranker(backend, max_length=14).score([("w1 w2", passage)])
    (run,) = backend.runs
    assert run.shape == (3, 14)
    windows = [[WORDS[id] for id in row[4:-1]] for row in run]
    assert all([WORDS[id] for id in row[:4]] == ["[CLS]", "w1", "w2", "[SEP]"] for row in run)
    assert windows[0][0] == "w10" and windows[-1][-1] == "w27"
    assert all(set(one) & set(next_one) for one, next_one in pairwise(windows))
    assert set().union(*windows) == set(passage.split())


def test_a_passage_of_any_length_should_cost_at_most_four_windows_from_start_to_end() -> None:
    backend = OverlapBackend(token_budget=1000)
    tiny_reranker(backend, max_length=12).score([("w1", "w4 " + "w3 " * 5000 + "w5")])
    (run,) = backend.runs
    assert run.shape == (4, 12)
    assert (run[0] == WORDS.index("w4")).any() and (run[-1] == WORDS.index("w5")).any()


def test_a_long_query_should_leave_half_of_the_window_to_the_passage() -> None:
    backend = OverlapBackend()
    tiny_reranker(backend, max_length=13).score([("w1 " * 50, "w3 " * 50)])
    assert ((backend.runs[0] == WORDS.index("w3")).sum(1) == 5).all()
    tiny_reranker(backend, max_length=13).score([("w1 " * 50, "w3")])
    assert backend.runs[-1].shape == (1, 13)


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
