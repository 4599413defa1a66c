"""Any sentence-transformers CrossEncoder, by torch: FP16 on CUDA, FP32 as the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from retrieval.processors import fit_torch
from retrieval.reranker.model import Batch
from retrieval.types import FloatArray

if TYPE_CHECKING:
    from sentence_transformers import CrossEncoder

Precision = Literal["fp16", "fp32"]


class TorchBackend:
    """Scores are the logits, before any sigmoid: those of confident pairs would tie.

    Attention is transformers' default, scaled_dot_product_attention where the architecture has it.
    """

    def __init__(self, model: CrossEncoder, *, compiled: bool = False) -> None:
        """`compiled`: by torch.compile at the first batch, for any shape; that takes a minute."""
        if model.num_labels != 1:
            raise ValueError(f"A reranker gives one score for a pair, this model gives {model.num_labels}")
        self._model = model.eval()
        self._inputs = [
            name
            for name in ("input_ids", "attention_mask", "token_type_ids")
            if name in model.tokenizer.model_input_names
        ]
        self._run = torch.compile(model, dynamic=True) if compiled else model
        self.token_budget = 65_536 if model.device.type == "cuda" else 2048

    def forward(self, batch: Batch) -> FloatArray:
        arrays = np.stack([getattr(batch, name) for name in self._inputs])
        on_device = torch.from_numpy(arrays).to(self._model.device)  # one upload for all
        with torch.inference_mode():
            scores = self._run(dict(zip(self._inputs, on_device, strict=True)))["scores"]
        return np.asarray(scores.float().cpu().numpy(), dtype=np.float32).reshape(len(batch.input_ids))


def load_cross_encoder(name_or_folder: str, precision: Precision, max_length: int) -> CrossEncoder:
    """The model on CUDA in half precision, or in FP32 wherever torch runs best.

    Raises:
        RuntimeError: FP16 was asked for and there is no CUDA device.
    """
    from sentence_transformers import CrossEncoder

    import retrieval.reranker.twin  # noqa: F401 - transformers then knows the shipped network

    cuda = torch.cuda.is_available()
    if precision == "fp16" and not cuda:
        raise RuntimeError(
            "torch-fp16 needs a CUDA device, and torch finds none: choose onnx-int8 or torch-fp32"
        )
    fit_torch()
    model: CrossEncoder = CrossEncoder(
        name_or_folder,
        device="cuda" if cuda else "cpu",
        max_length=max_length,
        model_kwargs={"dtype": torch.float16 if precision == "fp16" else torch.float32},
    )
    return model
