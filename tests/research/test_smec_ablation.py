from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from evaluation.beir import Questions
from research.smec_ablation import Vectors
from research.smec_report import Row, section, variance_picture, variance_section
from training.pair_noise import PairVectors

ROWS = [
    row
    for name, gain, full in (("one", 0.0, 0.5), ("two", 0.1, 0.25))
    for row in (
        Row(name, full, "cut", "no matrix", {128: 0.9 + gain, 64: 0.7}, {}),
        Row(name, full, "cut", "MRL", {128: 0.8, 64: 0.6}, {0: [1e-5, 1e-6]}),
        Row(name, full, "cut", "+ SMRL", {128: 0.8, 64: 0.6}, {128: [1e-6, 1e-7], 64: [1e-6]}),
    )
]


def test_section_should_give_the_mean_of_the_sets_and_the_starts_set_by_set() -> None:
    text = section(ROWS)

    assert "| cut | no matrix | 93.3 | 70.0 |" in text
    assert "| two | 100.0 | 70.0 |" in text
    assert "one 0.500, two 0.250" in text


def test_variance_picture_should_draw_mrl_once_and_each_step_of_smrl() -> None:
    picture = ElementTree.fromstring(variance_picture(ROWS, "cut"))

    lines = picture.findall("{*}polyline")
    assert [len(line.get("points", "").split()) for line in lines] == [2, 2, 1]
    heights = [float(point.split(",")[1]) for point in lines[0].get("points", "").split()]
    assert heights[0] < heights[1]  # a larger variance lies higher


def test_variance_section_should_compare_the_first_epoch_of_each_step() -> None:
    mrl, first, second = variance_section(ROWS, "cut").splitlines()[2:]

    assert mrl == "| MRL | 1 | 1.0e-05 | 1.0e-06 |"
    assert first == "| SMRL, to 128 | 10 | 1.0e-06 | 1.0e-07 |"
    assert second == "| SMRL, to 64 | 10 | 1.0e-06 |  |"


def test_ndcg_should_be_that_of_exact_search_through_the_matrix() -> None:
    corpus = np.eye(3, dtype=np.float32)
    none = PairVectors(corpus, corpus, np.arange(3))
    questions = Questions({"q": "?"}, {"q": {"b": 1}})
    vectors = Vectors(corpus, np.array([[0.6, 0.8, 0]], np.float32), none, ["a", "b", "c"], questions)

    assert vectors.ndcg(corpus) == 1
    assert vectors.ndcg(np.diag([4, 1, 1]).astype(np.float32)) == pytest.approx(1 / np.log2(3))
