from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluation.judged import Bm25, load, ndcg

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    corpus = [
        {"_id": "a", "title": "Leave", "text": "Thirty days of leave a year."},
        {"_id": "b", "text": "Trains are booked by the office."},
        {"_id": "c", "title": None, "text": "Nothing of the kind."},
    ]
    queries = [{"_id": "1", "text": "who books trains"}, {"_id": "2", "text": "days of leave"}]
    for name, rows in (("corpus", corpus), ("queries", queries)):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    (tmp_path / "qrels").mkdir()
    (tmp_path / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n2\tc\t1\n2\ta\t2\n1\tb\t0\n")
    return tmp_path


def test_candidates_should_be_the_best_by_bm25_with_their_gains(folder: Path) -> None:
    (judged,) = load(folder, 10)  # the other query has no relevant document
    assert judged.query == "days of leave"
    assert judged.passages[0] == "Leave\nThirty days of leave a year."
    assert judged.gains.tolist() == [2, 1, 0]


def test_bm25_should_prefer_rare_words_and_short_texts() -> None:
    scores = Bm25(["red car", "red car and very many other words", "red bus", "blue"]).scores("red car")
    assert np.argsort(-scores).tolist() == [0, 1, 2, 3]
    assert scores[3] == 0


def test_ndcg_should_be_that_of_trec_eval() -> None:
    gains = np.array([2, 0, 1], dtype=np.float32)
    assert ndcg(np.array([3, 2, 1], np.float32), gains) == pytest.approx(2.5 / (2 + 1 / np.log2(3)))
    assert ndcg(np.array([3, np.nan, 1], np.float32), gains) == 1


@pytest.mark.torch
def test_the_gpu_benchmark_should_need_neither_django_nor_the_index() -> None:
    script = (
        "import sys; sys.modules.update(dict.fromkeys(['django', 'qdrant_edge', 'ingestion', 'searchapp']));"
        "import evaluation.benchmarks.rerank_gpu"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)
