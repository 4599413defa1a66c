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
from retrieval.reranker.twin import Segments
from training.reranker.layers import Bert, set_weights, token_states

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
# At 0.5 a query's scores were off by 0.16 of their spread, at 0.75 by 0.08, at 0.85 by 0.11.
SMOOTHING = 0.75
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def save_torch(model: Bert, folder: Path) -> None:
    """config.json and model.safetensors for sentence-transformers' CrossEncoder, scores as raw logits."""
    model.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity"}
    model.half().save_pretrained(folder)
    model.float()


def save_onnx(model: Bert, folder: Path, sample: dict[str, Tensor]) -> None:
    """onnx/model_int8.onnx: weights in 8 bits by channel, activations quantized as they come.

    `sample`: pairs that show how large each dimension of the states becomes.
    """
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    ids = torch.ones(2, 8, dtype=torch.long)
    types = (torch.arange(8) >= 3).long().expand(2, -1)
    dynamic = {name: {0: "pairs", 1: "tokens"} for name in INPUTS}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as temporary, torch.no_grad(), warnings.catch_warnings():
        # The exporter that follows needs one more package, and gains nothing for a network this plain.
        warnings.simplefilter("ignore", DeprecationWarning)
        plain = str(Path(temporary) / "model.onnx")
        torch.onnx.export(
            Exported(model, sample).eval(),
            (ids, ids, types),
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
    if not (folder / TOKENIZER_FILES[0]).exists():
        copy_tokenizer(of, folder)
    card = load_card(of)
    save_card(folder, weight=card.weight, max_length=card.max_length, spread=card.spread)
    attention = model.bert.encoder.layer[0].attention.self
    if attention.all_head_size == model.config.hidden_size:
        save_torch(model, folder)
    save_onnx(model, folder, sample)


def copy_tokenizer(of: Path, folder: Path) -> None:
    """From the model in `of` into `folder`, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        shutil.copyfile(of / name, folder / name)


def save_card(folder: Path, *, weight: float, max_length: int, spread: float | None = None) -> None:
    """quarry.json, as `retrieval.reranker.card` reads it."""
    card = {"name": "quarry-reranker-v4", "languages": ["en"], "weight": weight, "max_length": max_length}
    if spread:
        card["spread"] = round(spread, 3)
    (folder / "quarry.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


class Exported(nn.Module):
    """The same scores, as ONNX Runtime computes them quickly in 8 bits."""

    def __init__(self, model: Bert, sample: dict[str, Tensor]) -> None:
        super().__init__()
        embeddings = model.bert.embeddings
        self.words = QuantizedRows(embeddings.word_embeddings.weight)
        self.positions = QuantizedRows(embeddings.position_embeddings.weight)
        self.segment = nn.Buffer(embeddings.token_type_embeddings.weight[0].detach())
        self.norm = embeddings.LayerNorm
        seen = _inputs_of_linears(model, sample)
        self.layers = nn.ModuleList(Layer(layer, seen) for layer in model.bert.encoder.layer)
        self.comparison = model.comparison

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """(pairs, 1) logits."""
        segments = Segments(attention_mask, token_type_ids)
        states = self.norm(self.words(input_ids) + self.positions(segments.positions) + self.segment)
        attention = segments.attention(torch.float32)
        for layer in self.layers:
            states = layer(states, attention)
        logits: Tensor = self.comparison(states, input_ids, segments)
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
    al. 2022): by SMOOTHING of the range, since weights have a scale for each channel, and states only one.
    """

    def __init__(self, linears: Sequence[nn.Linear], seen: Tensor) -> None:
        super().__init__()
        weights = torch.cat([linear.weight.detach() for linear in linears])
        largest = seen.abs().amax(0).clamp(min=1e-3)
        scale = largest**SMOOTHING / weights.abs().amax(0).clamp(min=1e-3) ** (1 - SMOOTHING)
        self.shrink = nn.Buffer(1 / scale)
        # As one: its input is quantized once.
        self.linear = nn.Linear(weights.shape[1], len(weights))
        set_weights(
            self.linear, torch.cat([(weights * scale).T, torch.cat([each.bias for each in linears])[None]])
        )

    def forward(self, states: Tensor) -> Tensor:
        """What all maps make of the states, beside each other."""
        mapped: Tensor = self.linear(states * self.shrink)
        return mapped


class Layer(nn.Module):
    """A BERT layer."""

    def __init__(self, layer: Bert, seen: Mapping[nn.Module, Tensor]) -> None:
        super().__init__()
        attention, mixing = layer.attention, copy.deepcopy(layer.attention.self)
        self.heads, self.head_size = mixing.num_attention_heads, mixing.attention_head_size
        projection = Smoothed([attention.output.dense], seen[attention.output.dense])
        # Attention mixes tokens, not dimensions: its input can shrink where the values are made.
        mixing.value.weight.data *= projection.shrink[:, None]
        mixing.value.bias.data *= projection.shrink
        self.projection = projection.linear
        self.mixed = Smoothed([mixing.query, mixing.key, mixing.value], seen[layer.attention.self.query])
        self.norm, self.outer_norm = attention.output.LayerNorm, layer.output.LayerNorm
        self.inner = Smoothed([layer.intermediate.dense], seen[layer.intermediate.dense])
        self.activation = layer.intermediate.intermediate_act_fn
        self.outer = Smoothed([layer.output.dense], seen[layer.output.dense])

    def forward(self, hidden: Tensor, attention: Tensor) -> Tensor:
        """States (pairs, tokens, hidden size)."""
        by_head = self.mixed(hidden).view(*hidden.shape[:2], 3, self.heads, self.head_size)
        query, key, value = by_head.permute(2, 0, 3, 1, 4).unbind()  # (pairs, heads, tokens, head size) each
        weights = (query @ key.transpose(2, 3) / self.head_size**0.5 + attention).softmax(-1)
        attended = (weights @ value).transpose(1, 2).flatten(2)
        states = self.norm(self.projection(attended) + hidden)
        normed: Tensor = self.outer_norm(self.outer(self.activation(self.inner(states))) + states)
        return normed


def _inputs_of_linears(model: Bert, sample: dict[str, Tensor]) -> dict[nn.Module, Tensor]:
    """(tokens, inputs) of each, without padding."""
    linears = [module for module in model.bert.encoder.modules() if isinstance(module, nn.Linear)]
    states = token_states(model, linears, [sample])
    return {linear: inputs for linear, (inputs, _) in zip(linears, states, strict=True)}
