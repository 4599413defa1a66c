"""Whatever static model the setting names can be turned and learned with, and keeps its vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import EncoderUnavailableError, load_encoder
from retrieval.encoder.table import load_table
from retrieval.types import Passage
from tests.support.models import in_hub_cache, model2vec_model, static_model
from training.adapt import adapt
from training.rotation import fold_rotation
from training.static_model import NotStaticError, read_model, write_model

TEXTS = ["the dog barks", "cats \u2603 sleep on the mat", "einstein was born in ulm"]
PASSAGES = [Passage(f"{text} {number}") for number in range(100) for text in TEXTS]


@pytest.fixture(params=["sentence-transformers", "model2vec", "a name of the hub"])
def model(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "model2vec":
        return str(model2vec_model(tmp_path / "model"))
    folder = static_model(tmp_path / "model")
    if request.param == "sentence-transformers":
        return str(folder)
    in_hub_cache(folder, "someone/static", tmp_path / "hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    return "someone/static"


def test_model_that_is_read_and_written_should_give_the_same_vectors(model: str, tmp_path: Path) -> None:
    write_model(read_model(model), tmp_path / "copy")
    expected = load_encoder(model).encode_passages(TEXTS)
    copied = load_encoder(str(tmp_path / "copy")).encode_passages(TEXTS)
    np.testing.assert_allclose(copied, expected, atol=1e-6)


def test_shipped_model_should_be_half_the_size(tmp_path: Path) -> None:
    written = read_model(str(static_model(tmp_path / "model")))
    for dtype, folder in ((np.float32, "served"), (np.float16, "shipped")):
        write_model(written, tmp_path / folder, dtype)
        assert load_table(tmp_path / folder / "0_StaticEmbedding" / "model.safetensors").dtype == dtype


def test_rotation_should_fold_into_any_static_model(model: str, tmp_path: Path) -> None:
    assert fold_rotation(model, PASSAGES, 12, tmp_path / "turned", learned=True)
    before, after = (load_encoder(name).encode_passages(TEXTS) for name in (model, str(tmp_path / "turned")))
    np.testing.assert_allclose(before @ before.T, after @ after.T, atol=5e-3)


def test_learning_should_begin_from_any_static_model(model: str, tmp_path: Path) -> None:
    report = adapt(model, [[passage] for passage in PASSAGES[:10]], tmp_path / "learned")
    assert report.reason.startswith("10 passages: too few")


def test_model_of_another_kind_should_be_named(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(NotStaticError, match=str(tmp_path)):
        read_model(str(tmp_path))


@pytest.mark.parametrize("file", ["model.safetensors", "tokenizer.json"])
def test_damaged_model_should_be_named(tmp_path: Path, file: str) -> None:
    (static_model(tmp_path) / "0_StaticEmbedding" / file).write_bytes(b"{")
    with pytest.raises(EncoderUnavailableError, match="cannot be read"):
        read_model(str(tmp_path))
