"""Any cross-encoder to ONNX: a folder that the ONNX backends read, or a model repository for Triton.

Torch, sentence-transformers and onnx make the files (requirements/dev.txt); serving them needs none of these.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import Any, Literal

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16
from sentence_transformers import CrossEncoder
from torch import Tensor, nn

import retrieval.reranker.twin  # noqa: F401 - transformers then knows the shipped network
from retrieval.reranker import card
from retrieval.reranker.triton_backend import MODEL

Precision = Literal["fp32", "fp16", "int8"]
OUTPUT = "logits"
MOST_PAIRS = 256  # in a batch on the server
# Triton waits this long for more requests of the same shape: little against a run, enough under load.
QUEUE_DELAY_US = 1000


def export_folder(name_or_folder: str, folder: Path) -> None:
    """The model's own files, and onnx/model.onnx (FP32) and onnx/model_int8.onnx beside them."""
    model = _load(name_or_folder)
    model.save_pretrained(str(folder))
    shipped = Path(name_or_folder)
    for file in (shipped / card.FILE_NAME, shipped / "onnx" / "model_int8.onnx"):
        if file.is_file():  # made with more care than a general recipe can take
            target = folder / file.relative_to(shipped)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    (folder / "onnx").mkdir(exist_ok=True)
    _write(model, folder / "onnx" / "model.onnx", "fp32")
    if not (folder / "onnx" / "model_int8.onnx").exists():
        _write(model, folder / "onnx" / "model_int8.onnx", "int8")


def export_triton(name_or_folder: str, repository: Path, precision: Precision) -> None:
    """DIR/reranker/config.pbtxt and DIR/reranker/1/model.onnx: a complete model repository.

    INT8 by dynamic quantization runs on CPUs only, FP16 pays on GPUs only, so the precision decides.
    """
    model = _load(name_or_folder)
    (repository / MODEL / "1").mkdir(parents=True, exist_ok=True)
    file = repository / MODEL / "1" / "model.onnx"
    shipped = Path(name_or_folder) / "onnx" / "model_int8.onnx"
    if precision == "int8" and shipped.is_file():
        shutil.copyfile(shipped, file)
    else:
        _write(model, file, precision)
    config = _config(_inputs_of(file), "KIND_CPU" if precision == "int8" else "KIND_GPU")
    (repository / MODEL / "config.pbtxt").write_text(config, encoding="utf-8")


def _load(name_or_folder: str) -> CrossEncoder:
    model: CrossEncoder = CrossEncoder(name_or_folder, device="cpu", model_kwargs={"dtype": torch.float32})
    if model.num_labels != 1:
        raise ValueError(f"A reranker gives one score for a pair, this model gives {model.num_labels}")
    return model


class _Logits(nn.Module):
    """The network with its inputs in order, one array out."""

    def __init__(self, model: CrossEncoder, inputs: list[str]) -> None:
        super().__init__()
        self.network: Any = model.model
        self.inputs = inputs

    def forward(self, *tensors: Tensor) -> Tensor:
        """(pairs, 1)."""
        logits: Tensor = self.network(**dict(zip(self.inputs, tensors, strict=True))).logits
        return logits


def _write(model: CrossEncoder, file: Path, precision: Precision) -> None:
    names = ("input_ids", "attention_mask", "token_type_ids")
    inputs = [name for name in names if name in model.tokenizer.model_input_names]
    sample = {"input_ids": torch.full((2, 8), 5), "attention_mask": torch.ones(2, 8, dtype=torch.long)}
    sample["attention_mask"][1, 6:] = 0  # an export without padding would leave the mask out
    sample["token_type_ids"] = torch.zeros(2, 8, dtype=torch.long)
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as temporary, torch.no_grad(), warnings.catch_warnings():
        # The exporter that follows needs one more package. Tracing warns of what depends on the shape.
        warnings.simplefilter("ignore")
        plain = str(Path(temporary) / "model.onnx")
        torch.onnx.export(
            _Logits(model, inputs).eval(),
            tuple(sample[name] for name in inputs),
            plain,
            input_names=inputs,
            output_names=[OUTPUT],
            dynamic_axes={name: {0: "pairs", 1: "tokens"} for name in inputs} | {OUTPUT: {0: "pairs"}},
            opset_version=17,
            dynamo=False,
        )
        if precision == "int8":
            quantize_dynamic(
                plain,
                file,
                weight_type=QuantType.QInt8,
                per_channel=True,
                op_types_to_quantize=["MatMul"],
            )
        elif precision == "fp16":  # inputs are whole numbers; scores leave in float32
            onnx.save(convert_float_to_float16(onnx.load(plain), keep_io_types=True), file)
        else:
            shutil.copyfile(plain, file)
    onnx.checker.check_model(str(file))


def _inputs_of(file: Path) -> list[str]:
    return [each.name for each in onnx.load(str(file)).graph.input]


def _config(inputs: list[str], kind: str) -> str:
    """Triton's model configuration: any number of tokens, batches filled from several requests."""
    declared = ",\n".join(f'  {{ name: "{name}" data_type: TYPE_INT64 dims: [ -1 ] }}' for name in inputs)
    return f"""\
name: "{MODEL}"
backend: "onnxruntime"
max_batch_size: {MOST_PAIRS}
input [
{declared}
]
output [
  {{ name: "{OUTPUT}" data_type: TYPE_FP32 dims: [ 1 ] }}
]
dynamic_batching {{ max_queue_delay_microseconds: {QUEUE_DELAY_US} }}
instance_group [ {{ count: 1 kind: {kind} }} ]
"""
