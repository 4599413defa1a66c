from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import load_encoder
from retrieval.ranking.fusion import FusionWeights
from retrieval.types import FloatArray, Passage
from tests.training.support import corpus
from training.calibrate import MINIMUM_QUERIES, FusionReport, calibrate

PRIOR = FusionWeights(spaced=0.6, cjk=0.9)
PASSAGES = [passage for document in corpus(120) for passage in document]


def noise(texts: Sequence[str]) -> FloatArray:
    """A dense leg that knows nothing of a text but its length."""
    seed = sum(map(len, texts))
    return np.random.default_rng(seed).normal(size=(len(texts), 16)).astype(np.float32)


def sure(texts: Sequence[str]) -> FloatArray:
    """A dense leg that knows a text's own passage: both come in the same order, the queries first."""
    return np.eye(len(PASSAGES), dtype=np.float32)[: len(texts)]


def test_useless_dense_leg_should_move_the_weight_towards_the_lexical_leg() -> None:
    weights, reports = calibrate(noise, PASSAGES, [], PRIOR)
    assert PRIOR.spaced < weights.spaced <= 1
    assert weights.cjk == PRIOR.cjk
    (report,) = reports
    assert (report.script, report.prior, report.weight) == ("spaced", PRIOR.spaced, weights.spaced)
    assert report.curve[1.0] > report.curve[0.0]
    assert report.queries == len(PASSAGES)


def test_perfect_dense_leg_should_move_the_weight_towards_it() -> None:
    weights, _ = calibrate(sure, PASSAGES, [], PRIOR)
    assert weights.spaced < PRIOR.spaced


def test_learned_weight_should_stay_near_the_prior_whatever_the_pseudo_queries_say() -> None:
    for encode in (noise, sure):
        weights, _ = calibrate(encode, PASSAGES, [], PRIOR)
        assert abs(weights.spaced - PRIOR.spaced) < 0.15


@pytest.mark.parametrize(
    "passages",
    [PASSAGES[: MINIMUM_QUERIES - 1], [Passage("one sentence alone has nothing beside it.")] * 100, []],
    ids=["few", "one sentence each", "none"],
)
def test_prior_should_stay_where_there_is_nothing_to_learn_from(passages: list[Passage]) -> None:
    assert calibrate(noise, passages, [], PRIOR) == (PRIOR, [])


def test_scripts_should_be_calibrated_apart() -> None:
    subjects = ["연차", "휴가", "급여", "출장", "보안", "채용", "교육", "평가", "복지", "장비"]
    korean = [
        Passage(f"{a} {b} 규정은 매년 {i}월에 바뀝니다. 담당자는 {b} 신청서를 {a} 부서에 {i}일까지 냅니다.")
        for i, (a, b) in enumerate((a, b) for a in subjects for b in subjects if a != b)
    ]
    weights, reports = calibrate(noise, [*korean, *PASSAGES], [], PRIOR)
    assert {report.script for report in reports} == {"spaced", "korean"}
    assert weights.korean > PRIOR.korean
    assert weights.cjk == PRIOR.cjk


def test_same_seed_should_give_the_same_weights() -> None:
    def reports() -> list[FusionReport]:
        return calibrate(noise, PASSAGES, [], PRIOR, seed=3)[1]

    assert reports() == reports()


def test_shipped_encoder_should_calibrate() -> None:
    shipped = load_encoder(str(Path(__file__).parents[2] / "models" / "encoder"))
    sentences = (
        "The {0} valve of pump {1} is checked weekly by the night shift of hall {0}{1}. "
        "Replace the {0} gasket after {1} hours of work with kit number {1}{0} from the depot."
    )
    passages = [Passage(sentences.format(name, i)) for i, name in enumerate(["red", "blue"] * 30)]
    weights, reports = calibrate(shipped.encode_passages, passages, passages, PRIOR)
    assert 0 <= weights.spaced <= 1
    assert reports[0].queries == len(passages)
