"""A model's name or folder, and a backend's name, to a reranker."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from retrieval.reranker.card import RerankerCard, load_card
from retrieval.reranker.model import Reranker

BACKENDS = ("auto", "onnx-int8", "onnx-fp32", "torch-fp16", "torch-fp32", "triton")

# The names that sentence-transformers and optimum give to exported files.
ONNX_FILES = {
    "onnx-int8": ("model_int8.onnx", "model_quantized.onnx", "model_q*int8*.onnx"),
    "onnx-fp32": ("model.onnx",),
}


def load_reranker(
    name_or_folder: str | Path, *, backend: str = "auto", compiled: bool = False, triton_url: str = ""
) -> Reranker:
    """A cross-encoder in the format of sentence-transformers.

    Args:
        name_or_folder: a folder; for torch and Triton also a name that sentence-transformers finds.
        backend: `onnx-int8` or `onnx-fp32` (CPU, no torch), `torch-fp16` (CUDA), `torch-fp32` (reference),
            `triton` (a server), or `auto`: INT8 where the folder holds it, else torch in the precision that
            suits the device.
        compiled: the torch backends compile the network at first use (`torch.compile`).
        triton_url: http://host:port, for `triton`.

    Raises:
        FileNotFoundError: the folder holds no ONNX file for the backend, or no tokenizer.json.
        ImportError: what the backend needs is not installed.
        RerankerUnavailableError: the Triton server does not answer.
        RuntimeError: `torch-fp16` without a CUDA device.
        ValueError: an unknown backend, a damaged card, or a model with more than one score for a pair.
    """
    if backend not in BACKENDS:
        raise ValueError(f"Unknown reranker backend {backend!r}: choose one of {', '.join(BACKENDS)}")
    folder, card = Path(name_or_folder), load_card(name_or_folder)
    if backend == "auto" and _onnx_file(folder, "onnx-int8"):
        backend = "onnx-int8"
    if backend == "triton":
        from retrieval.reranker.triton_backend import TritonBackend

        return Reranker(card, _tokenizer(name_or_folder), TritonBackend(triton_url))
    if backend in ONNX_FILES:
        file = _onnx_file(folder, backend)
        if file is None:
            raise FileNotFoundError(
                f"{folder} holds no onnx/{ONNX_FILES[backend][0]}: `manage.py export_reranker` makes one"
            )
        from retrieval.reranker.onnx_backend import OnnxBackend  # its import starts a thread

        return Reranker(card, _tokenizer(folder), OnnxBackend(file))
    return _by_torch(str(name_or_folder), card, backend, compiled)


def _onnx_file(folder: Path, backend: str) -> Path | None:
    return next(
        (file for pattern in ONNX_FILES[backend] for file in sorted(folder.glob(f"onnx/{pattern}"))), None
    )


def _tokenizer(name_or_folder: str | Path) -> Tokenizer:
    folder = Path(name_or_folder)
    if not folder.is_dir():
        return Tokenizer.from_pretrained(str(name_or_folder))
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise FileNotFoundError(f"{folder} holds no tokenizer.json, that of a fast tokenizer")
    return Tokenizer.from_file(str(file))


def _by_torch(name_or_folder: str, card: RerankerCard, backend: str, compiled: bool) -> Reranker:
    import torch

    from retrieval.reranker.torch_backend import TorchBackend, load_cross_encoder

    if backend == "auto":
        backend = "torch-fp16" if torch.cuda.is_available() else "torch-fp32"
    model = load_cross_encoder(name_or_folder, "fp16" if backend == "torch-fp16" else "fp32", card.max_length)
    # A copy: padding and truncation set here must not reach the model's own tokenizer.
    pairs = Tokenizer.from_str(model.tokenizer.backend_tokenizer.to_str())
    return Reranker(card, pairs, TorchBackend(model, compiled=compiled))
