"""Tiny real models, made on the spot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from retrieval.types import FloatArray

WORDS = [
    "the",
    "dog",
    "dogs",
    "barks",
    "cat",
    "cats",
    "sleep",
    "on",
    "mat",
    "einstein",
    "was",
    "born",
    "in",
    "ulm",
]
WORDS += ["아인", "##슈타인", "독일", "에서", "##에서", "é", ",", ".", "-"]
DIMENSIONS = 12


def tiny_tokenizer() -> Tokenizer:
    """WordPiece over single letters and some words, lower-casing, as BERT's."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocabulary = ["[UNK]", *WORDS, *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = Tokenizer(
        models.WordPiece({token: id for id, token in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def tiny_table(tokenizer: Tokenizer) -> FloatArray:
    """(tokens, 12) of random numbers, the same at every call."""
    shape = (tokenizer.get_vocab_size(), DIMENSIONS)
    return np.random.default_rng(7).standard_normal(shape).astype(np.float32)


def static_model(
    folder: Path,
    *,
    tokenizer: Tokenizer | None = None,
    dtype: str = "float32",
    prompts: dict[str, str] | None = None,
) -> Path:
    """A static model of 12 dimensions in sentence-transformers' layout."""
    tokenizer = tokenizer or tiny_tokenizer()
    module = folder / "0_StaticEmbedding"
    module.mkdir(parents=True)
    tokenizer.save(str(module / "tokenizer.json"))
    save_file({"embedding.weight": tiny_table(tokenizer).astype(dtype)}, module / "model.safetensors")
    kind = "sentence_transformers.models.StaticEmbedding"
    modules = [{"idx": 0, "name": "0", "path": module.name, "type": kind}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts or {}}))
    return folder
