"""Texts to dense vectors, by any static model (without torch) or any sentence transformer (with it)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from retrieval.types import FloatArray

# What a model folder is made of; leaves out the ONNX, OpenVINO and PyTorch copies that hubs keep beside it.
_HUB_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]
_STATIC_MODULES = {"StaticEmbedding", "Normalize"}


class EncoderUnavailableError(Exception):
    """The model cannot be loaded. The message says which one, why, and what to do."""


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """A static model on disk: `folder` holds its model.safetensors and tokenizer.json.

    `skip_unknown`: tokens outside the vocabulary count for nothing, as in model2vec's own `encode`.
    """

    folder: Path
    prompts: Mapping[str, str]
    skip_unknown: bool


class Encoder(Protocol):
    """Unit vectors for texts. Safe to call from many threads."""

    @property
    def name(self) -> str:
        """The folder or name that the encoder was loaded by."""

    @property
    def dimensions(self) -> int:
        """The length of every vector."""

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """(texts, dimensions) float32, unit rows; a row of zeros for a text without any known token."""

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """Encode like `encode_queries`, for the passage side of models that tell the two apart."""


def load_encoder(name_or_folder: str, dimensions: int | None = None) -> Encoder:
    """The encoder in a folder, or of a Hugging Face name, cut to its first `dimensions` (None: all).

    Static models (sentence-transformers' StaticEmbedding, model2vec) load without torch; anything else goes
    through sentence-transformers.

    Raises:
        EncoderUnavailableError: no such folder or name, no package for it, or a folder that holds no model.
        ValueError: the model has fewer dimensions than asked.
    """
    folder = _local(name_or_folder)
    if files := _static_files(folder):
        from retrieval.encoder.static import StaticEncoder

        return StaticEncoder(name_or_folder, files, dimensions)
    from retrieval.encoder.transformer import TransformerEncoder

    return TransformerEncoder(name_or_folder, folder, _prompts(folder), dimensions)


def static_files(name_or_folder: str) -> StaticFiles | None:
    """Where the parts of a static model lie; None for models that are none.

    Raises `EncoderUnavailableError` as `load_encoder` does.
    """
    return _static_files(_local(name_or_folder))


def both_prompts(prompts: Mapping[str, str | None]) -> tuple[str, str]:
    """What is put before a query and before a passage, of a model's prompts by name."""
    return prompts.get("query") or "", prompts.get("document") or prompts.get("passage") or ""


def _local(name_or_folder: str) -> Path:
    folder = Path(name_or_folder)
    return folder if folder.is_dir() else _download(name_or_folder)


def _download(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=_HUB_FILES))
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise EncoderUnavailableError(
            f"There is no model folder {name!r}, and it could not be fetched from the Hugging Face Hub "
            f"({type(error).__name__}). Name a folder that holds the model, or fetch it once with a network."
        ) from error


def _static_files(folder: Path) -> StaticFiles | None:
    if table_folder := _table_folder(folder):
        return StaticFiles(table_folder, _prompts(folder), _is_model2vec(folder))
    return None


def _table_folder(folder: Path) -> Path | None:
    """Where the table and the tokenizer of a static model lie; None for other models."""
    if (folder / "modules.json").is_file():
        modules = _read_json(folder / "modules.json")
        kinds = [module["type"].rsplit(".", 1)[-1] for module in modules]
        if kinds and kinds[0] == "StaticEmbedding" and set(kinds) <= _STATIC_MODULES:
            return folder / str(modules[0]["path"])
        return None
    if _is_model2vec(folder):
        return folder
    if not (folder / "config.json").is_file():
        raise EncoderUnavailableError(
            f"{folder} holds no model: neither modules.json nor config.json is there."
        )
    return None


def _is_model2vec(folder: Path) -> bool:
    config = folder / "config.json"
    return config.is_file() and _read_json(config).get("model_type") == "model2vec"


def _prompts(folder: Path) -> dict[str, str]:
    config = folder / "config_sentence_transformers.json"
    return _read_json(config).get("prompts") or {} if config.is_file() else {}


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise EncoderUnavailableError(f"{path} is not valid JSON: {error}") from error
