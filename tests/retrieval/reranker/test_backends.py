"""Any cross-encoder, by every backend that can run here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from retrieval import processors
from retrieval.reranker import load_reranker
from retrieval.reranker.onnx_backend import RUNS_OF_A_THREAD, TOKENS_OF_A_RUN
from tests.support import cross_encoders

pytestmark = pytest.mark.torch

random = np.random.default_rng(3)


def words(count: int) -> str:
    return " ".join(f"w{i}" for i in random.integers(0, 60, count))


PAIRS = [(words(4), words(n)) for n in (3, 40, 12, 90, 7, 25)]
ARCHITECTURES = [
    cross_encoders.bert,
    cross_encoders.twin,
    cross_encoders.xlm_roberta,
    cross_encoders.modern_bert,
]


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the files of `export_reranker --format onnx`."""
    from training.reranker.onnx_export import export_folder

    plain = cross_encoders.bert(tmp_path_factory.mktemp("plain"))
    folder = tmp_path_factory.mktemp("exported")
    export_folder(str(plain), folder)
    return folder


@pytest.mark.parametrize("build", ARCHITECTURES)
def test_any_cross_encoder_should_load_by_its_folder_and_score_as_sentence_transformers(
    build: Callable[[Path], Path], tmp_path: Path
) -> None:
    from sentence_transformers import CrossEncoder
    from torch.nn import Identity

    folder = build(tmp_path)
    reference = CrossEncoder(str(folder), device="cpu", activation_fn=Identity()).predict(PAIRS)
    assert np.std(reference) > 0.05
    assert load_reranker(folder, backend="torch-fp32").score(PAIRS) == pytest.approx(reference, abs=1e-4)


@pytest.mark.parametrize("build", ARCHITECTURES[:3])
def test_an_exported_model_should_score_without_torch_as_with_it(
    build: Callable[[Path], Path], tmp_path: Path
) -> None:
    from training.reranker.onnx_export import export_folder

    folder = build(tmp_path / "model")
    reference = load_reranker(folder, backend="torch-fp32").score(PAIRS)
    export_folder(str(folder), tmp_path / "exported")
    assert load_reranker(tmp_path / "exported", backend="onnx-fp32").score(PAIRS) == pytest.approx(
        reference, abs=1e-4
    )
    quantized = load_reranker(tmp_path / "exported", backend="onnx-int8").score(PAIRS)
    assert np.corrcoef(quantized, reference)[0, 1] > 0.95


def test_auto_should_take_int8_where_the_folder_holds_it_and_torch_where_not(
    bert: Path, tmp_path: Path
) -> None:
    assert type(load_reranker(bert).backend).__name__ == "OnnxBackend"
    assert type(load_reranker(cross_encoders.bert(tmp_path)).backend).__name__ == "TorchBackend"


def test_a_compiled_network_should_give_the_same_scores(bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    # Its own compiler needs a C++ one beside it; what Quarry does with the compiled network is the same.
    compile_network = torch.compile
    monkeypatch.setattr(torch, "compile", lambda model, dynamic: compile_network(model, backend="eager"))
    plain = load_reranker(bert, backend="torch-fp32").score(PAIRS)
    compiled = load_reranker(bert, backend="torch-fp32", compiled=True)
    assert compiled.score(PAIRS) == pytest.approx(plain, abs=1e-4)


def test_fp16_without_a_gpu_should_say_what_to_choose_instead(
    bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="choose onnx-int8 or torch-fp32"):
        load_reranker(bert, backend="torch-fp16")


def test_a_classifier_of_several_classes_should_be_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="this model gives 3"):
        load_reranker(cross_encoders.bert(tmp_path, num_labels=3), backend="torch-fp32")


def test_a_missing_export_should_name_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="export_reranker"):
        load_reranker(cross_encoders.bert(tmp_path), backend="onnx-fp32")


def test_models_on_a_cpu_should_take_no_more_threads_than_their_container_may_use(
    bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    (tmp_path / "cpu.max").write_text("100000 100000\n")
    monkeypatch.setattr(processors, "CGROUP", tmp_path)
    assert load_reranker(bert, backend="onnx-int8").backend.token_budget == TOKENS_OF_A_RUN * RUNS_OF_A_THREAD
    threads = torch.get_num_threads()
    try:
        load_reranker(bert, backend="torch-fp32")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(threads)
