"""Any other sentence-transformers model: slower, and it brings torch into the process that loads it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from retrieval.encoder import EncoderUnavailableError
from retrieval.types import FloatArray


class TransformerEncoder:
    """A sentence transformer with its own prompts for queries and documents, cut and normalised."""

    def __init__(self, name: str, folder: Path, dimensions: int | None = None) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError as error:
            raise EncoderUnavailableError(
                f"{name} is a transformer, which needs sentence-transformers: pip install 'quarry[gpu]'."
            ) from error
        try:
            self._model = SentenceTransformer(str(folder), local_files_only=True)
        except (OSError, ValueError, KeyError) as error:
            raise EncoderUnavailableError(f"The model in {folder} cannot be loaded: {error}") from error
        full: int = self._model.get_embedding_dimension() or 0
        if dimensions is not None and not 1 <= dimensions <= full:
            raise ValueError(f"{name} has {full} dimensions, so it cannot be cut to {dimensions}.")
        self.name = name
        self.dimensions = dimensions or full

    def encode_queries(self, texts: Sequence[str]) -> FloatArray:
        """(texts, dimensions) float32, unit rows."""
        return self._encode(self._model.encode_query, texts)

    def encode_passages(self, texts: Sequence[str]) -> FloatArray:
        """(texts, dimensions) float32, unit rows."""
        return self._encode(self._model.encode_document, texts)

    def _encode(self, encode: Callable[..., FloatArray], texts: Sequence[str]) -> FloatArray:
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        vectors = encode(
            list(texts), truncate_dim=self.dimensions, normalize_embeddings=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)
