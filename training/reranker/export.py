"""Write the cross-encoder's folder: half-precision weights for torch, INT8 ONNX for CPUs, card."""

from __future__ import annotations

import copy
import json
import logging
import shutil
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from torch import Tensor, nn

from retrieval.reranker import load_card
from training.reranker.student import Bert, captured

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def save_torch(model: Bert, folder: Path) -> None:
    """config.json and model.safetensors for sentence-transformers' CrossEncoder, scores as raw logits."""
    model.config.architectures = ["BertForSequenceClassification"]
    model.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity"}
    model.half().save_pretrained(folder)
    model.float()


def save_onnx(model: Bert, folder: Path, sample: dict[str, Tensor]) -> None:
    """onnx/model_int8.onnx: weights in 8 bits by channel, activations quantized as they come.

    `sample`: pairs that show how large each dimension of the states becomes.
    """
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    ids = torch.ones(2, 8, dtype=torch.long)
    dynamic = {name: {0: "pairs", 1: "tokens"} for name in INPUTS}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as temporary, torch.no_grad(), warnings.catch_warnings():
        # The exporter that follows needs one more package, and gains nothing for a network this plain.
        warnings.simplefilter("ignore", DeprecationWarning)
        plain = str(Path(temporary) / "model.onnx")
        torch.onnx.export(
            ScoreOnly(model, sample).eval(),
            (ids, ids, ids * 0),
            plain,
            input_names=list(INPUTS),
            output_names=["logits"],
            dynamic_axes=dynamic | {"logits": {0: "pairs"}},
            opset_version=17,
            dynamo=False,
        )
        onnx.checker.check_model(plain)
        quantize_dynamic(
            plain,
            folder / "onnx" / "model_int8.onnx",
            weight_type=QuantType.QInt8,
            per_channel=True,
            op_types_to_quantize=["MatMul"],
        )


def save_variant(model: Bert, of: Path, folder: Path, sample: dict[str, Tensor]) -> None:
    """The folder of a smaller model made of that in `of`: with its tokenizer, where none is there, and card.

    Weights for torch only where transformers can load them: its configuration cannot say that heads are lost.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        if not (folder / name).exists():
            shutil.copyfile(of / name, folder / name)
    card = load_card(of)
    save_card(folder, weight=card.weight, max_length=card.max_length, spread=card.spread)
    attention = model.bert.encoder.layer[0].attention.self
    if attention.all_head_size == model.config.hidden_size:
        save_torch(model, folder)
    save_onnx(model, folder, sample)


def save_card(folder: Path, *, weight: float, max_length: int, spread: float | None = None) -> None:
    """quarry.json, as `retrieval.reranker.card` reads it."""
    card = {"name": "quarry-reranker-v1", "languages": ["en"], "weight": weight, "max_length": max_length}
    if spread:
        card["spread"] = round(spread, 3)
    (folder / "quarry.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


class ScoreOnly(nn.Module):
    """The same scores for less work: the last layer only for [CLS], no products with feed-forward zeros."""

    def __init__(self, model: Bert, sample: dict[str, Tensor]) -> None:
        super().__init__()
        embeddings = model.bert.embeddings
        self.words = QuantizedRows(embeddings.word_embeddings.weight)
        self.positions = QuantizedRows(embeddings.position_embeddings.weight)
        self.types = embeddings.token_type_embeddings
        self.norm = embeddings.LayerNorm
        *layers, last = model.bert.encoder.layer
        seen = _inputs_of_linears(model, sample)
        self.layers = nn.ModuleList(Layer(layer, seen) for layer in layers)
        self.last = Layer(last, seen)
        self.pooler, self.classifier = model.bert.pooler, model.classifier

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """(pairs, 1) logits."""
        places = torch.arange(input_ids.shape[1])
        hidden = self.norm(self.words(input_ids) + self.positions(places) + self.types(token_type_ids))
        padding = (1.0 - attention_mask[:, None, None, :].float()) * -1e4
        for layer in self.layers:
            hidden = layer(hidden, hidden, padding)
        cls = self.last(hidden[:, :1], hidden, padding)
        logits: Tensor = self.classifier(self.pooler(cls))
        return logits


class QuantizedRows(nn.Module):
    """A table in 8 bits with a scale for each row: one scale for all rows costs rare words their meaning."""

    def __init__(self, table: Tensor) -> None:
        super().__init__()
        scales = table.detach().abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
        self.rows = nn.Buffer((table.detach() / scales).round().to(torch.int8))
        self.scales = nn.Buffer(scales)

    def forward(self, ids: Tensor) -> Tensor:
        """Rows (..., size) in float32."""
        rows: Tensor = self.rows[ids].float() * self.scales[ids]
        return rows


class Smoothed(nn.Module):
    """Linear maps of one input: before both get 8 bits, its large dimensions shrink and their weights grow.

    Else a few outliers, 40 times as large as the rest, take the range that 8 bits have (SmoothQuant, Xiao et
    al. 2022, alpha 0.5).
    """

    def __init__(self, linears: Sequence[nn.Linear], seen: Tensor) -> None:
        super().__init__()
        largest = seen.flatten(0, -2).abs().amax(0).clamp(min=1e-3)
        weights = (
            torch.stack([linear.weight.detach().abs().amax(0) for linear in linears]).amax(0).clamp(min=1e-3)
        )
        scale = (largest / weights).sqrt()
        self.shrink = nn.Buffer(1 / scale)
        self.linears = nn.ModuleList(_scaled(linear, scale) for linear in linears)

    def forward(self, states: Tensor) -> list[Tensor]:
        """What each of the maps makes of the states."""
        shrunk = states * self.shrink
        return [linear(shrunk) for linear in self.linears]


class Layer(nn.Module):
    """A BERT layer for some of the tokens, attending to all."""

    def __init__(self, layer: Bert, seen: Mapping[nn.Module, Tensor]) -> None:
        super().__init__()
        attention, mixing = layer.attention, layer.attention.self
        self.heads, self.head_size = mixing.num_attention_heads, mixing.attention_head_size
        self.query = Smoothed([mixing.query], seen[mixing.query])
        self.key_value = Smoothed([mixing.key, mixing.value], seen[mixing.query])
        self.projection = Smoothed([attention.output.dense], seen[attention.output.dense])
        self.norm, self.outer_norm = attention.output.LayerNorm, layer.output.LayerNorm
        self.inner = Smoothed([layer.intermediate.dense], seen[layer.intermediate.dense])
        self.activation = layer.intermediate.intermediate_act_fn
        self.outer = Smoothed([layer.output.dense], seen[layer.output.dense])
        self.feeds_forward = bool(layer.output.dense.weight.any())
        self.bias = layer.output.dense.bias

    def forward(self, chosen: Tensor, hidden: Tensor, padding: Tensor) -> Tensor:
        """States (pairs, chosen tokens, hidden size)."""
        query, key, value = map(self._split, [*self.query(chosen), *self.key_value(hidden)])
        weights = (query @ key.transpose(2, 3) / self.head_size**0.5 + padding).softmax(-1)
        attended = (weights @ value).transpose(1, 2).flatten(2)
        states = self.norm(self.projection(attended)[0] + chosen)
        if self.feeds_forward:
            states = self.outer(self.activation(self.inner(states)[0]))[0] + states
        else:
            states = states + self.bias
        normed: Tensor = self.outer_norm(states)
        return normed

    def _split(self, states: Tensor) -> Tensor:
        """(pairs, heads, tokens, head size)."""
        return states.view(*states.shape[:2], self.heads, self.head_size).transpose(1, 2)


def _scaled(linear: nn.Linear, scale: Tensor) -> nn.Linear:
    scaled = copy.deepcopy(linear)
    scaled.weight = nn.Parameter(linear.weight.detach() * scale)
    return scaled


def _inputs_of_linears(model: Bert, sample: dict[str, Tensor]) -> dict[nn.Module, Tensor]:
    linears = [module for module in model.bert.encoder.modules() if isinstance(module, nn.Linear)]
    seen = captured(model.bert, sample, linears)
    return {linear: inputs for linear, (inputs, _) in zip(linears, seen, strict=True)}
