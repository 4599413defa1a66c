from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file
from tokenizers import Tokenizer, normalizers, pre_tokenizers

from retrieval.encoder import EncoderUnavailableError, load_encoder, words
from retrieval.encoder.words import WordTokenizer
from tests.support.models import (
    DIMENSIONS,
    in_hub_cache,
    model2vec_model,
    static_model,
    tiny_table,
    tiny_tokenizer,
)

TEXTS = [
    "The dog barks, the DOG barked; dogs bark.",
    "아인슈타인 독일에서 was born in Ulm\tin 1879\nand\xa0so on",
    "form\x0cfeed joins, so does\x1cthis and \x85 that",
    "ideographic\u3000space, zero\u200bwidth, line\u2028separator, caf\u00e9 and cafe\u0301",
    "  " + "unspaced" * 20 + " [UNK] x" * 3,
    "日本語は 空白 なし",
]


def by_sentence_transformers(folder: Path, texts: list[str], dimensions: int) -> np.ndarray:
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    return model.encode(texts, truncate_dim=dimensions, normalize_embeddings=True, show_progress_bar=False)


def by_definition(texts: list[str], dimensions: int, tokenizer: Tokenizer | None = None) -> np.ndarray:
    """The mean of the rows of the whole text's tokens, cut and normalised."""
    tokenizer = tokenizer or tiny_tokenizer()
    table = tiny_table(tokenizer)[:, :dimensions]
    means = np.stack([table[tokenizer.encode(t, add_special_tokens=False).ids].mean(axis=0) for t in texts])
    return means / np.linalg.norm(means, axis=1, keepdims=True)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("dimensions", [12, 5])
def test_static_encoder_should_equal_sentence_transformers(
    tmp_path: Path, dtype: str, dimensions: int
) -> None:
    folder = static_model(tmp_path, dtype=dtype)
    expected = by_sentence_transformers(folder, TEXTS, dimensions)
    encoder = load_encoder(str(folder), dimensions)
    tolerance = 1e-5 if dtype == "float32" else 2e-3  # torch sums halves in half precision
    assert np.abs(encoder.encode_passages(TEXTS) - expected).max() < tolerance
    assert np.abs(encoder.encode_queries(TEXTS) - expected).max() < tolerance


@pytest.mark.parametrize("dimensions", [12, 5])
def test_static_encoder_should_give_the_normalised_mean_of_the_tokens(
    tmp_path: Path, dimensions: int
) -> None:
    encoder = load_encoder(str(static_model(tmp_path)), dimensions)
    expected = by_definition(TEXTS, dimensions)
    for _ in ("cold", "warm"):
        np.testing.assert_allclose(encoder.encode_passages(TEXTS), expected, atol=1e-5)
        np.testing.assert_allclose(encoder.encode_queries(TEXTS), expected, atol=1e-5)


def test_encoding_should_not_depend_on_the_batch(tmp_path: Path) -> None:
    encoder = load_encoder(str(static_model(tmp_path)))
    many = [TEXTS[i % len(TEXTS)] + f" {i}" for i in range(600)]
    one_by_one = np.concatenate([encoder.encode_passages([text]) for text in many])
    np.testing.assert_allclose(encoder.encode_passages(many), one_by_one, atol=1e-6)


def test_text_without_known_tokens_should_give_zeros(tmp_path: Path) -> None:
    encoder = load_encoder(str(static_model(tmp_path)))
    assert encoder.encode_passages(["", " \n"]).tolist() == [[0.0] * DIMENSIONS] * 2
    assert encoder.encode_queries([""]).tolist() == [[0.0] * DIMENSIONS]
    assert encoder.encode_passages([]).shape == (0, DIMENSIONS)


def test_lone_surrogates_should_be_encoded_as_unknown_characters(tmp_path: Path) -> None:
    encoder = load_encoder(str(static_model(tmp_path)))
    assert np.isfinite(encoder.encode_queries(["dog \ud800"])).all()


def test_prompts_should_be_put_before_the_texts(tmp_path: Path) -> None:
    folder = static_model(tmp_path, prompts={"query": "einstein ", "document": "cat "})
    encoder = load_encoder(str(folder))
    np.testing.assert_allclose(
        encoder.encode_queries(["dog"]), by_definition(["einstein dog"], 12), atol=1e-5
    )
    np.testing.assert_allclose(encoder.encode_passages(["dog"]), by_definition(["cat dog"], 12), atol=1e-5)


@pytest.mark.parametrize(
    "change",
    [
        lambda tokenizer: setattr(tokenizer, "pre_tokenizer", pre_tokenizers.Punctuation()),
        lambda tokenizer: setattr(tokenizer, "normalizer", normalizers.Replace(" ", "e")),
        lambda tokenizer: tokenizer.enable_truncation(3),
        lambda tokenizer: tokenizer.add_tokens(["was born"]),
    ],
    ids=["no split at white space", "normalizer sees white space", "truncation", "token with a space"],
)
def test_tokenizer_that_sees_across_words_should_get_the_whole_text(tmp_path: Path, change: object) -> None:
    tokenizer = tiny_tokenizer()
    change(tokenizer)  # type: ignore[operator]
    encoder = load_encoder(str(static_model(tmp_path, tokenizer=tokenizer)))
    texts = ["the dog was born in ulm", "cat"]
    np.testing.assert_allclose(encoder.encode_passages(texts), by_definition(texts, 12, tokenizer), atol=1e-5)


def test_remembered_words_should_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MAX_WORDS", 10)
    tokenizer = WordTokenizer(tiny_tokenizer())
    expected = WordTokenizer(tiny_tokenizer()).ids(["dog w3"])
    for number in range(50):
        tokenizer.ids([f"dog w{number}"])
        assert len(tokenizer._ids) <= 10
    assert tokenizer.ids(["dog w3"]) == expected


def test_threads_should_share_an_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "MAX_WORDS", 30)  # so that threads clear each other's words
    encoder = load_encoder(str(static_model(tmp_path)))
    texts = [f"dog{i % 40} barks {i}" for i in range(400)]
    expected = by_definition(texts, 12)
    wrong: list[int] = []

    def encode() -> None:
        for _ in range(10):
            if np.abs(encoder.encode_passages(texts) - expected).max() > 1e-5:
                wrong.append(1)

    threads = [threading.Thread(target=encode) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_model2vec_folder_should_load_with_mapping_and_weights(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    table = tiny_table(tokenizer)
    count = len(table)
    mapping, weights = np.arange(count)[::-1].copy(), np.linspace(0.5, 2, count)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "model2vec"}))
    save_file({"embeddings": table, "mapping": mapping, "weights": weights}, tmp_path / "model.safetensors")
    ids = tokenizer.encode("the dog", add_special_tokens=False).ids
    mean = np.mean([table[mapping[id]] * weights[id] for id in ids], axis=0)
    encoded = load_encoder(str(tmp_path)).encode_queries(["the dog"])[0]
    np.testing.assert_allclose(encoded, mean / np.linalg.norm(mean), atol=1e-5)


def test_model2vec_folder_should_count_unknown_tokens_for_nothing(tmp_path: Path) -> None:
    encoder = load_encoder(str(model2vec_model(tmp_path)))
    expected = by_definition(["the dog"], DIMENSIONS)
    np.testing.assert_allclose(encoder.encode_queries(["the ☃ dog 猫"]), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.encode_passages(["the ☃ dog 猫"]), expected, atol=1e-5)
    assert not encoder.encode_queries(["☃"]).any()


@pytest.mark.parametrize(
    "kind",
    ["sentence_transformers.models.StaticEmbedding", "sentence_transformers.base.modules.StaticEmbedding"],
)
def test_static_model_without_prompts_or_normalisation_should_load(tmp_path: Path, kind: str) -> None:
    """The layout of static-similarity-mrl-multilingual-v1: one module, at the root in newer releases."""
    static_model(tmp_path / "made")
    made = tmp_path / "made" / "0_StaticEmbedding"
    made.rename(tmp_path / "model")
    folder = tmp_path / "model"
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": kind}]))
    encoder = load_encoder(str(folder), 5)
    np.testing.assert_allclose(encoder.encode_passages(TEXTS), by_definition(TEXTS, 5), atol=1e-5)


def test_too_many_dimensions_should_be_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="has 12 dimensions"):
        load_encoder(str(static_model(tmp_path)), 13)


def test_folder_without_a_model_should_say_so(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailableError, match="holds no model"):
        load_encoder(str(tmp_path))


@pytest.mark.parametrize("damage", ["truncated", "no safetensors", "no tokenizer"])
def test_damaged_model_should_say_so(tmp_path: Path, damage: str) -> None:
    module = static_model(tmp_path) / "0_StaticEmbedding"
    table = module / "model.safetensors"
    if damage == "truncated":
        table.write_bytes(table.read_bytes()[:-100])
    elif damage == "no safetensors":
        table.write_bytes(b"not a table at all")
    else:
        (module / "tokenizer.json").unlink()
    with pytest.raises(EncoderUnavailableError, match="cannot be read"):
        load_encoder(str(tmp_path))


def test_model_of_the_hub_should_load_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "sentence-transformers/static-similarity-mrl-multilingual-v1"
    in_hub_cache(static_model(tmp_path / "made"), name, tmp_path / "hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    encoder = load_encoder(name, 5)
    assert (encoder.name, encoder.dimensions) == (name, 5)
    np.testing.assert_allclose(encoder.encode_passages(TEXTS), by_definition(TEXTS, 5), atol=1e-5)


def test_unknown_name_should_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(EncoderUnavailableError, match="Name a folder that holds the model"):
        load_encoder("nobody/no-such-model")


def test_static_model_should_not_import_torch(tmp_path: Path) -> None:
    program = (
        "import sys; from retrieval.encoder import load_encoder;"
        "load_encoder(sys.argv[1]).encode_passages(['the dog']);"
        "sys.exit(bool({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", program, str(static_model(tmp_path))], check=True)
