"""Static models that can be trained and turned: read in every layout that serves, written as
sentence-transformers lays them out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from retrieval.encoder import static_files
from retrieval.encoder.static import read_static
from retrieval.encoder.words import unknown_id
from retrieval.types import FloatArray

_PACKAGE = "sentence_transformers.models"
_TABLE_FOLDER = "0_StaticEmbedding"
_CONFIG = "config_sentence_transformers.json"
_MODULES = [
    {"idx": 0, "name": "0", "path": _TABLE_FOLDER, "type": f"{_PACKAGE}.StaticEmbedding"},
    {"idx": 1, "name": "1", "path": "1_Normalize", "type": f"{_PACKAGE}.Normalize"},
]


class NotStaticError(Exception):
    """The model is none that can be trained and turned. The message names it."""


@dataclass(frozen=True, slots=True)
class StaticModel:
    """A tokenizer, a row for each of its tokens: (tokens, dimensions) float32, and prompts by name."""

    tokenizer: Tokenizer
    table: FloatArray
    prompts: Mapping[str, str] = field(default_factory=dict)


def read_model(name_or_folder: str) -> StaticModel:
    """The model in a folder, or of a Hugging Face name, with its table in memory as float32.

    Raises:
        EncoderUnavailableError: there is no such model, or it cannot be read.
        NotStaticError: it is of another kind.
    """
    files = static_files(name_or_folder)
    if files is None:
        raise NotStaticError(
            f"The encoder {name_or_folder} is no static model, so there is no table to train. "
            "QUARRY_ENCODER can name one."
        )
    mapped, tokenizer = read_static(files)
    table = np.array(mapped, dtype=np.float32)
    if files.skip_unknown and (unknown := unknown_id(tokenizer)) is not None:
        table[unknown] = 0  # in a sum that gets unit length, the same as leaving it out
    return StaticModel(tokenizer, table, files.prompts)


def write_model(model: StaticModel, folder: Path, dtype: type[np.floating] = np.float32) -> None:
    """Write the model. Existing files of a model in `folder` are replaced.

    A table of float32 is twice the size of one of float16, but the processes that serve it share one memory
    map of the file; of float16 each makes a copy.
    """
    table_folder = folder / _TABLE_FOLDER
    table_folder.mkdir(parents=True, exist_ok=True)
    (folder / "1_Normalize").mkdir(exist_ok=True)
    save_file({"embedding.weight": model.table.astype(dtype)}, table_folder / "model.safetensors")
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
