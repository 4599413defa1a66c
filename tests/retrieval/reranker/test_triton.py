"""The Triton backend against a server of its protocol that runs what was exported."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from retrieval.reranker import Reranker, load_reranker, triton_backend
from retrieval.reranker.batching import BatchingReranker
from retrieval.reranker.errors import DeadlineExpiredError, RerankerUnavailableError
from retrieval.reranker.metrics import Counters
from tests.support import cross_encoders
from tests.support.triton_server import TritonServer, parse_pbtxt, triton
from training.reranker.onnx_export import export_triton

pytestmark = pytest.mark.torch

PAIRS = [("w1 w2", " ".join(f"w{i % 60}" for i in range(n))) for n in (3, 50, 9, 31, 90)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return cross_encoders.bert(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def repository(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("repository")
    export_triton(str(model), folder, "fp16")
    return folder


@pytest.fixture
def server(repository: Path) -> Iterator[TritonServer]:
    with triton(repository) as server:
        yield server


def client(model: Path, server: TritonServer) -> Reranker:
    return load_reranker(model, backend="triton", triton_url=server.url)


def test_triton_should_score_as_torch_does(model: Path, server: TritonServer) -> None:
    reference = load_reranker(model, backend="torch-fp32").score(PAIRS)
    assert client(model, server).score(PAIRS) == pytest.approx(reference, abs=0.1)  # half precision


@pytest.mark.parametrize("build", [cross_encoders.xlm_roberta, cross_encoders.bert, cross_encoders.twin])
def test_triton_should_serve_the_int8_export_of_any_inputs(
    build: object, tmp_path: Path, model: Path
) -> None:
    folder = build(tmp_path / "model")  # type: ignore[operator]
    export_triton(str(folder), tmp_path / "repository", "int8")
    config = parse_pbtxt((tmp_path / "repository" / "reranker" / "config.pbtxt").read_text())
    assert config["instance_group"][0]["kind"] == "KIND_CPU"
    reference = load_reranker(folder, backend="torch-fp32").score(PAIRS)
    with triton(tmp_path / "repository") as server:
        reranker = client(folder, server)
        scores = reranker.score(PAIRS)
    assert reranker.backend.token_budget == 2048  # of a CPU
    assert np.corrcoef(scores, reference)[0, 1] > 0.95


def test_the_repository_should_be_complete_and_batch_any_length(repository: Path) -> None:
    files = {str(file.relative_to(repository)) for file in repository.rglob("*") if file.is_file()}
    assert files == {"reranker/config.pbtxt", "reranker/1/model.onnx"}
    config = parse_pbtxt((repository / "reranker" / "config.pbtxt").read_text())
    assert config["max_batch_size"] > 1 and config["dynamic_batching"]
    assert all(each["dims"] == [-1] for each in config["input"])
    assert config["instance_group"][0]["kind"] == "KIND_GPU"


def test_batches_should_have_few_widths_and_no_more_pairs_than_the_server_takes(
    model: Path, server: TritonServer
) -> None:
    reranker = client(model, server)
    pairs = [("w1", "w2 " * (1 + i % 90)) for i in range(600)]
    assert len(reranker.score(pairs)) == 600
    assert reranker.backend.token_budget == 16_384  # of a GPU
    shapes = server.models["reranker"].shapes
    assert max(rows for rows, _ in shapes) <= 256
    assert {width for _, width in shapes} <= {32, 64, 96, 128}


def test_many_callers_should_share_the_server_by_the_one_model_thread(
    model: Path, server: TritonServer
) -> None:
    alone = client(model, server).score(PAIRS)
    batching = BatchingReranker(client(model, server), Counters())
    with ThreadPoolExecutor(8) as callers:
        for scores in callers.map(batching.score, [PAIRS] * 16):
            assert scores.values == pytest.approx(alone, abs=0.1)
    batching.close()


def test_a_server_that_fails_should_leave_requests_unavailable_and_be_found_again(
    model: Path, server: TritonServer
) -> None:
    batching = BatchingReranker(client(model, server), Counters())
    unloaded = server.models.pop("reranker")
    with pytest.raises(RerankerUnavailableError, match="unknown model"):
        batching.score(PAIRS)
    server.models["reranker"] = unloaded
    assert len(batching.score(PAIRS).values) == len(PAIRS)
    server.breaks_off = True
    with pytest.raises(RerankerUnavailableError):
        batching.score(PAIRS)
    server.breaks_off = False
    assert len(batching.score(PAIRS).values) == len(PAIRS)
    batching.close()


def test_a_server_that_hangs_should_cost_callers_their_deadline_and_no_more(
    model: Path, server: TritonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triton_backend, "TIMEOUT_S", 3)
    batching = BatchingReranker(client(model, server), Counters())
    server.gate.clear()
    started = time.monotonic()
    with pytest.raises(DeadlineExpiredError):
        batching.score(PAIRS, deadline=started + 0.2)
    assert time.monotonic() - started < 2
    with pytest.raises(RerankerUnavailableError):  # after the client's own patience
        batching.score(PAIRS)
    server.gate.set()
    assert len(batching.score(PAIRS).values) == len(PAIRS)
    batching.close()


def test_an_address_without_the_model_should_be_refused_at_the_start(model: Path, tmp_path: Path) -> None:
    with triton(tmp_path) as empty, pytest.raises(RerankerUnavailableError, match="does not serve"):
        client(model, empty)
    with pytest.raises(RerankerUnavailableError, match="does not serve"):  # nobody listens there any more
        client(model, empty)
