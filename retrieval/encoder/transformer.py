"""Any other sentence-transformers model: slower, and it brings torch into the process that loads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.encoder import EncoderUnavailableError, both_prompts
from retrieval.encoder.known import recipe
from retrieval.processors import fit_torch
from retrieval.types import FloatArray


class TransformerEncoder:
    """A sentence transformer, its vectors cut and normalised.

    `prompts` are those that its folder names; models that name none get those of their card, if it is known.
    """

    def __init__(
        self, name: str, folder: Path, prompts: Mapping[str, str], dimensions: int | None = None
    ) -> None:
        card = recipe(name)
        self._model = _load(name, folder)
        full: int = self._model.get_embedding_dimension() or 0
        if dimensions is not None and not 1 <= dimensions <= full:
            raise ValueError(f"{name} has {full} dimensions, so it cannot be cut to {dimensions}.")
        self.name = name
        self.dimensions = dimensions or full
        self._query_prompt, self._passage_prompt = both_prompts(prompts)
        if not self._query_prompt and not self._passage_prompt:
            self._query_prompt, self._passage_prompt = both_prompts(card.prompts)
        self._layer_norm = card.layer_norm

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """(texts, dimensions) float32, unit rows."""
        return self._encode(self._model.encode_query, texts, self._query_prompt)

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """(texts, dimensions) float32, unit rows."""
        return self._encode(self._model.encode_document, texts, self._passage_prompt)

    def _encode(self, encode: Callable[..., FloatArray], texts: Sequence[str], prompt: str) -> FloatArray:
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        vectors = np.asarray(encode(list(texts), prompt=prompt, show_progress_bar=False), np.float32)
        if self._layer_norm:  # its division by the deviation cancels out when the rows get unit length
            vectors = vectors - vectors.mean(axis=1, keepdims=True)
        vectors = vectors[:, : self.dimensions]
        lengths: FloatArray = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)


def _load(name: str, folder: Path) -> Any:
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError as error:
        raise EncoderUnavailableError(
            f"{name} is a transformer, which needs sentence-transformers: pip install 'quarry[gpu]'."
        ) from error
    fit_torch()
    try:
        return SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # whatever the model's own classes and readers raise
        if "trust_remote_code" in str(error):
            raise EncoderUnavailableError(
                f"{name} runs only with program code of its own, which Quarry does not execute. Name a model "
                "whose architecture the installed transformers package knows."
            ) from error
        raise EncoderUnavailableError(f"The model in {folder} cannot be loaded: {error}") from error
