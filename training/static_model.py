"""A static model's folder, as sentence-transformers lays it out: read it, write it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from retrieval.encoder.table import load_table
from retrieval.types import FloatArray

_PACKAGE = "sentence_transformers.models"
_TABLE_FOLDER = "0_StaticEmbedding"
_CONFIG = "config_sentence_transformers.json"
_MODULES = [
    {"idx": 0, "name": "0", "path": _TABLE_FOLDER, "type": f"{_PACKAGE}.StaticEmbedding"},
    {"idx": 1, "name": "1", "path": "1_Normalize", "type": f"{_PACKAGE}.Normalize"},
]


@dataclass(frozen=True, slots=True)
class StaticModel:
    """A tokenizer, a row for each of its tokens: (tokens, dimensions) float32, and prompts by name."""

    tokenizer: Tokenizer
    table: FloatArray
    prompts: Mapping[str, str] = field(default_factory=dict)


def is_static_model(folder: Path) -> bool:
    """Whether the folder holds a static model in this layout, which can be trained and rotated."""
    return (folder / _TABLE_FOLDER / "model.safetensors").is_file()


def read_model(folder: Path) -> StaticModel:
    """The model in `folder`, with its table in memory as float32.

    Raises:
        OSError, ValueError: the folder holds no static model in this layout.
    """
    tokenizer = Tokenizer.from_file(str(folder / _TABLE_FOLDER / "tokenizer.json"))
    table = load_table(folder / _TABLE_FOLDER / "model.safetensors")
    config = json.loads((folder / _CONFIG).read_text()) if (folder / _CONFIG).is_file() else {}
    return StaticModel(tokenizer, np.array(table, dtype=np.float32), config.get("prompts") or {})


def write_model(model: StaticModel, folder: Path) -> None:
    """Write the model, its table as float16. Existing files of a model in `folder` are replaced."""
    table_folder = folder / _TABLE_FOLDER
    table_folder.mkdir(parents=True, exist_ok=True)
    (folder / "1_Normalize").mkdir(exist_ok=True)
    save_file({"embedding.weight": model.table.astype(np.float16)}, table_folder / "model.safetensors")
    (table_folder / "model.safetensors").chmod(0o644)
    model.tokenizer.save(str(table_folder / "tokenizer.json"), pretty=False)
    _write_json(folder / "1_Normalize" / "config.json", {})
    _write_json(folder / "modules.json", _MODULES)
    _write_json(
        folder / _CONFIG,
        {
            "model_type": "SentenceTransformer",
            "similarity_fn_name": "cosine",
            "prompts": dict(model.prompts),
        },
    )


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
