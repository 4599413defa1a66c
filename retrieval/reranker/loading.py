"""A model's name or folder, and a backend's name, to a reranker."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from retrieval.reranker.card import RerankerCard, load_card
from retrieval.reranker.model import Reranker
from retrieval.reranker.onnx_backend import OnnxBackend

BACKENDS = ("auto", "onnx-int8", "onnx-fp32", "torch-fp16", "torch-fp32")

# The names that sentence-transformers and optimum give to exported files.
ONNX_FILES = {
    "onnx-int8": ("model_int8.onnx", "model_quantized.onnx", "model_q*int8*.onnx"),
    "onnx-fp32": ("model.onnx",),
}


def load_reranker(name_or_folder: str | Path, *, backend: str = "auto") -> Reranker:
    """A cross-encoder in the format of sentence-transformers.

    Args:
        name_or_folder: a folder, or a name that sentence-transformers finds (by torch only).
        backend: `onnx-int8` or `onnx-fp32` (CPU, no torch), `torch-fp16` (CUDA), `torch-fp32` (reference), or
            `auto`: INT8 where the folder holds it, else torch in the precision that suits the device.

    Raises:
        FileNotFoundError: the folder holds no ONNX file for the backend.
        ImportError: torch or sentence-transformers is not installed.
        RuntimeError: `torch-fp16` without a CUDA device.
        ValueError: an unknown backend, a damaged card, or a model with more than one score for a pair.
    """
    if backend not in BACKENDS:
        raise ValueError(f"Unknown reranker backend {backend!r}: choose one of {', '.join(BACKENDS)}")
    folder, card = Path(name_or_folder), load_card(name_or_folder)
    if backend == "auto" and _onnx_file(folder, "onnx-int8"):
        backend = "onnx-int8"
    if backend in ONNX_FILES:
        file = _onnx_file(folder, backend)
        if file is None:
            raise FileNotFoundError(f"{folder} holds no onnx/{ONNX_FILES[backend][0]}")
        return Reranker(card, Tokenizer.from_file(str(folder / "tokenizer.json")), OnnxBackend(file))
    return _by_torch(str(name_or_folder), card, backend)


def _onnx_file(folder: Path, backend: str) -> Path | None:
    return next(
        (file for pattern in ONNX_FILES[backend] for file in sorted(folder.glob(f"onnx/{pattern}"))), None
    )


def _by_torch(name_or_folder: str, card: RerankerCard, backend: str) -> Reranker:
    import torch

    from retrieval.reranker.torch_backend import TorchBackend, load_cross_encoder

    if backend == "auto":
        backend = "torch-fp16" if torch.cuda.is_available() else "torch-fp32"
    model = load_cross_encoder(name_or_folder, "fp16" if backend == "torch-fp16" else "fp32", card.max_length)
    # A copy: padding and truncation set here must not reach the model's own tokenizer.
    pairs = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    return Reranker(card, pairs, TorchBackend(model))
