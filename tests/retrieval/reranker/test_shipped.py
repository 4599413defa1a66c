"""The model folder in the repository."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from retrieval.reranker import Reranker, load_reranker
from retrieval.reranker.batching import BatchingReranker
from retrieval.reranker.metrics import Counters

FOLDER = Path(__file__).resolve().parents[3] / "models" / "reranker"

PAIRS = [
    (
        "how do I reset my password",
        "Click Forgot password on the login page and follow the link.",
    ),
    ("how do I reset my password", "The cafeteria serves lunch between eleven and two o'clock."),
    (
        "symptoms of influenza",
        "The flu starts suddenly with fever, aching muscles and a dry cough.",
    ),
    ("symptoms of influenza", "Invoices are paid within thirty days of receipt."),
    (
        "parental leave",
        "Both parents of a newborn child may take up to twelve weeks off work.",
    ),
    ("parental leave", "The wing's lift coefficient was measured at high angles of attack. " * 20),
]


@pytest.fixture(scope="module")
def reranker() -> Reranker:
    return load_reranker(FOLDER)


def test_shipped_reranker_should_prefer_the_passage_that_answers(reranker: Reranker) -> None:
    scores = reranker.score(PAIRS)
    assert (scores[::2] > scores[1::2]).all()


def test_shipped_reranker_should_leave_other_scripts_alone(reranker: Reranker) -> None:
    assert reranker.card.languages == {"en"}
    korean = ("아인슈타인은 어디에서 태어났나요?", "아인슈타인은 울름에서 태어났다.")
    scores = reranker.score([korean, *PAIRS])
    assert np.isnan(scores).tolist() == [True] + [False] * len(PAIRS)


def test_batching_should_not_change_scores_beyond_quantization(reranker: Reranker) -> None:
    single = np.concatenate([reranker.score([pair]) for pair in PAIRS])
    assert reranker.score(PAIRS) == pytest.approx(single, abs=0.5)


def test_with_enough_time_the_model_thread_should_score_exactly_as_the_model_does(reranker: Reranker) -> None:
    pairs = [(query, f"{passage} {number}") for number, (query, passage) in enumerate(PAIRS * 3)]
    batching = BatchingReranker(reranker, Counters())
    batching.warm_up()
    scores = batching.score(pairs, deadline=time.monotonic() + 600)
    batching.close()
    assert scores.values.tolist() == reranker.score(pairs).tolist()
    assert scores.whole.all()


@pytest.mark.torch
def test_sentence_transformers_should_give_the_same_scores(reranker: Reranker) -> None:
    import sentence_transformers

    import retrieval.reranker.twin  # noqa: F401  # transformers then knows the network

    model = sentence_transformers.CrossEncoder(str(FOLDER), device="cpu")
    reference = model.predict(PAIRS)
    assert load_reranker(FOLDER, backend="torch-fp32").score(PAIRS) == pytest.approx(
        reference, abs=0.02
    )  # half precision
    quantized = reranker.score(PAIRS)
    assert np.corrcoef(quantized, reference)[0, 1] > 0.94
    assert quantized == pytest.approx(reference, abs=1.5)  # of a range of 6


def test_onnx_should_need_neither_torch_nor_transformers() -> None:
    script = (
        "import sys; from retrieval.reranker import load_reranker; "
        f"load_reranker({str(FOLDER)!r}).score([('a', 'b')]); "
        "assert not {'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=FOLDER.parents[1])


def test_shipped_files_should_stay_small() -> None:
    sizes = [file.stat().st_size for file in FOLDER.rglob("*") if file.is_file()]
    assert sum(sizes) <= 58_000_000


def test_loading_should_name_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose one of auto, onnx-int8"):
        load_reranker(FOLDER, backend="tensorrt")
    with pytest.raises(FileNotFoundError, match="model_int8.onnx"):
        load_reranker(tmp_path, backend="onnx-int8")
    (tmp_path / "quarry.json").write_text('{"name": "x"}', encoding="utf-8")
    with pytest.raises(ValueError, match="is not a reranker's card"):
        load_reranker(tmp_path, backend="onnx-int8")
