"""The variants that docs/research/compression.md compares; what the work folder has already is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoTokenizer, BertForSequenceClassification

from retrieval.reranker.twin import TwinBert
from training.base.sources import Pair
from training.base.teacher import FOLDER as TEACHER
from training.reranker.batches import Tokens, calibration
from training.reranker.examples import Examples
from training.reranker.export import save_variant
from training.reranker.layers import Bert
from training.reranker.onnx_export import export_folder, export_triton
from training.reranker.prune import Cut, keep_vocabulary, prune
from training.reranker.teach import Recipe, teach
from training.reranker.tokens import plain_tokenizer
from training.reranker.train import MAX_LENGTH, RECIPE, sample_pairs
from training.reranker.vocabulary import save_tokenizer, used_rows

PRUNED = {
    "heads-8": ("8 of 12 heads", Cut(heads=8)),
    "feed-forward-1024": ("1,024 of 1,536 neurons", Cut(feed_forward=1024)),
    "feed-forward-768": ("768 of 1,536 neurons, as shipped but not taught", Cut(feed_forward=768)),
    "feed-forward-512": ("512 of 1,536 neurons", Cut(feed_forward=512)),
}
DISTILLED = {
    "layers-4": ("4 of 6 layers, scores", Cut(layers=(0, 2, 3, 5)), 0.0),
    "layers-4-states": ("4 of 6 layers, scores and states", Cut(layers=(0, 2, 3, 5)), 1.0),
    "layers-3-states": ("3 of 6 layers, scores and states", Cut(layers=(0, 2, 5)), 1.0),
}
VOCABULARY = "vocabulary"
TAUGHT = "taught.json"
STEPS = 100
INT8, FP32 = "onnx-int8", "onnx-fp32"


@dataclass(frozen=True, slots=True)
class Variant:
    """`file`: the weights that are served. `judged_as`: the key of the variant whose scores it gives."""

    key: str
    label: str
    kind: str
    precision: str
    file: Path
    judged_as: str  # empty: nobody trained it, only its time is of interest

    @property
    def folder(self) -> Path:
        return self.file.parents[1]

    @property
    def backend(self) -> str:
        return INT8 if self.precision == "INT8" else FP32


@dataclass(frozen=True, slots=True)
class Material:
    """What variants are made from."""

    model: Path  # the shipped one
    whole: Path  # the one that it was made from
    sources: Sequence[Sequence[Pair]]
    examples: Examples
    tokens: Tokens
    steps: int  # of each distillation


def variants(material: Material, work: Path) -> list[Variant]:
    """All of them, made where they are not there yet."""
    whole, shipped = work / "whole", work / "shipped"
    _once(work / "minilm", _minilm)
    _once(whole, lambda folder: _export(material, material.whole, folder))
    _once(shipped, lambda folder: export_folder(str(material.model), folder))
    _once(work / "triton", lambda folder: export_triton(str(material.model), folder, "fp16"))
    made = [
        Variant("minilm", "all-MiniLM-L6-v2's architecture", "reference", "FP32", _onnx(work / "minilm"), ""),
        Variant("whole-fp32", "the whole model", "whole", "FP32", _onnx(whole), "whole-fp32"),
        _int8("whole", "the whole model", "whole", whole),
        Variant("fp32", "as shipped", "shipped", "FP32", _onnx(shipped), "fp32"),
        # Its weights are kept in float16: arithmetic in float32 is all that the row above adds.
        Variant(
            "fp16", "as shipped", "shipped", "FP16", work / "triton" / "reranker" / "1" / "model.onnx", "fp32"
        ),
        _int8("int8", "as shipped", "shipped", material.model),
    ]
    for key, (label, cut) in PRUNED.items():
        _once(work / key, partial(_prune, material, cut))
        made.append(_int8(key, label, "pruned", work / key))
    _once(work / VOCABULARY, partial(_cut_vocabulary, material))
    rows = Tokenizer.from_file(str(work / VOCABULARY / "tokenizer.json")).get_vocab_size()
    made.append(_int8(VOCABULARY, f"{rows:,} word pieces", "pruned", work / VOCABULARY))
    for key, (label, cut, hidden) in DISTILLED.items():
        recipe = Recipe(cut, RECIPE.labels, hidden, material.steps)
        _once(work / key, partial(_distil, material, recipe))
        made.append(_int8(key, label, "distilled", work / key))
    return made


def _once(folder: Path, make: Callable[[Path], object]) -> None:
    """An interrupted variant leaves nothing behind that would be taken for it."""
    if folder.exists():
        return
    print(f"making {folder.name}", flush=True)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    make(partial)
    partial.rename(folder)


def _int8(key: str, label: str, kind: str, folder: Path) -> Variant:
    return Variant(key, label, kind, "INT8", folder / "onnx" / "model_int8.onnx", key)


def _onnx(folder: Path) -> Path:
    return folder / "onnx" / "model.onnx"


def _minilm(folder: Path) -> None:
    model: Bert = BertForSequenceClassification.from_pretrained(TEACHER, num_labels=1, dtype=torch.float32)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(TEACHER).save_pretrained(folder)
    export_folder(str(folder), folder)


def _export(material: Material, model: Path, folder: Path) -> None:
    """Files of both precisions, the 8 bits made with the shipped model's care."""
    export_folder(str(model), folder)
    save_variant(_load(model), material.model, folder, _sample(material, model))


def _prune(material: Material, cut: Cut, folder: Path) -> None:
    samples = calibration(material.examples, material.tokens)
    model = prune(_load(material.whole), samples, cut)
    save_variant(model, material.model, folder, _sample(material, material.whole))


def _distil(material: Material, recipe: Recipe, folder: Path) -> None:
    whole = _load(material.whole)
    model = prune(whole, calibration(material.examples, material.tokens), recipe.cut)
    taught = teach(model, whole, material.examples, material.tokens, recipe)
    save_variant(model, material.model, folder, _sample(material, material.whole))
    (folder / TAUGHT).write_text(json.dumps(asdict(taught)), encoding="utf-8")


def _cut_vocabulary(material: Material, folder: Path) -> None:
    rows = used_rows(material.whole, [*material.examples.passages, *material.examples.queries])
    save_tokenizer(material.whole, rows, folder, MAX_LENGTH)
    model = keep_vocabulary(_load(material.whole), rows)
    save_variant(model, material.model, folder, _sample(material, folder))


def _load(folder: Path) -> Bert:
    model: Bert = TwinBert.from_pretrained(folder, dtype=torch.float32)
    return model.eval()


def _sample(material: Material, tokenizer_of: Path) -> dict[str, Tensor]:
    return sample_pairs(plain_tokenizer(tokenizer_of), material.sources)
