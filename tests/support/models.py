"""Tiny real models, made on the spot."""

from __future__ import annotations

import json
import shutil
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


def model2vec_model(folder: Path) -> Path:
    """The table of `static_model` as model2vec writes it: its own configuration, and modules for others."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec", "normalize": True}))
    modules = [
        {"path": ".", "type": "sentence_transformers.models.StaticEmbedding"},
        {"path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    save_file({"embeddings": tiny_table(tokenizer)}, folder / "model.safetensors")
    return folder


def in_hub_cache(folder: Path, name: str, cache: Path) -> None:
    """Put a model where the hub's client keeps what it has fetched under this name."""
    revision, home = "0" * 40, cache / f"models--{name.replace('/', '--')}"
    shutil.copytree(folder, home / "snapshots" / revision)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(revision)


def tiny_transformer(folder: Path, *, prompts: dict[str, str] | None = None) -> Path:
    """A random BERT of 2 layers and 16 dimensions, mean-pooled, in sentence-transformers' layout."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tiny_tokenizer()
    tokenizer.add_special_tokens(["[PAD]"])
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(
        folder
    )
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.5,
    )
    model = BertModel(config)
    for name, parameter in model.named_parameters():
        if (
            "LayerNorm" in name
        ):  # as trained ones are: with weight 1 and bias 0 a second layer norm does nothing
            torch.nn.init.normal_(parameter)
    model.save_pretrained(folder)
    (folder / "1_Pooling").mkdir()
    pooling = {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling")]
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(kinds)
    ]
    (folder / "modules.json").write_text(json.dumps(modules))
    if prompts:
        (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    return folder
