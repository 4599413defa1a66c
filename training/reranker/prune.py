"""Prune the cross-encoder: layers, heads, feed-forward neurons and rows of its vocabulary.

What stays is fitted by least squares to what the whole model computes, so that no step of training is needed.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.reranker.layers import Bert, keep_rows, ridge, set_weights, sparse_ridge, token_states

Samples = Sequence[dict[str, Tensor]]


@dataclass(frozen=True, slots=True)
class Cut:
    """What stays. None: all. `layers`: their numbers, ascending, with the last, whose states are compared."""

    layers: tuple[int, ...] | None = None
    heads: int | None = None  # of each layer
    feed_forward: int | None = None  # neurons of each layer

    def kept(self, model: Bert) -> tuple[int, ...]:
        """The numbers of the model's layers that stay."""
        return self.layers or tuple(range(len(model.bert.encoder.layer)))


def prune(model: Bert, samples: Samples, cut: Cut) -> Bert:
    """A smaller copy.

    Layer after layer, the projection behind what was cut is solved anew (ridge regression from its present
    weights over the samples' tokens), so that the state before the layer's norm is again that of the whole
    model; where the layers that follow are left out, that of the last of them. A layer so makes up for its
    own losses and for those before it. Heads go by their gradients (Michel et al. 2019), neurons by what the
    others cannot make up for (`sparse_ridge`).

    transformers' configuration has no word for fewer heads of the same size: such a copy runs and exports to
    ONNX, but its folder cannot be loaded again.

    Args:
        samples: batches of pairs, (pairs, tokens) each; a few thousand tokens more than a layer has neurons.

    Raises:
        ValueError: `layers` lacks the last one, or is not ascending.
    """
    numbers = cut.kept(model)
    if numbers[-1] != len(model.bert.encoder.layer) - 1 or list(numbers) != sorted(set(numbers)):
        raise ValueError(f"Layers {numbers} of {len(model.bert.encoder.layer)}: they must ascend to the last")
    pruned = copy.deepcopy(model).eval()
    kept = [pruned.bert.encoder.layer[number] for number in numbers]
    # It grows by one layer at a time, so that fitting a layer runs none of those behind it.
    pruned.bert.encoder.layer = nn.ModuleList()
    gains = head_gains(model, samples) if cut.heads else {}
    with torch.no_grad():
        for layer, number, target in zip(kept, numbers, stands_for(numbers), strict=True):
            pruned.bert.encoder.layer.append(layer)
            whole = model.bert.encoder.layer
            if cut.heads and cut.heads < layer.attention.self.num_attention_heads:
                _keep_heads(layer, gains[number].topk(cut.heads).indices.sort().values)
                _fit_attention(pruned, layer, model, whole[number].attention.output.LayerNorm, samples)
            width = layer.intermediate.dense.out_features
            fewer = min(cut.feed_forward or width, width)
            if fewer < width or target != number:
                _fit_feed_forward(pruned, layer, model, whole[target].output.LayerNorm, samples, fewer)
    pruned.config.num_hidden_layers = len(numbers)
    pruned.config.intermediate_size = min(cut.feed_forward or width, model.config.intermediate_size)
    return pruned


def stands_for(numbers: Sequence[int]) -> list[int]:
    """For each kept layer, the last layer whose work it does: the one below the next that is kept."""
    return [*(number - 1 for number in numbers[1:]), numbers[-1]]


def keep_vocabulary(model: Bert, rows: Sequence[int]) -> Bert:
    """A copy with these rows of the word table, numbered anew in this order, as `save_tokenizer` does."""
    pruned = copy.deepcopy(model)
    words = model.bert.embeddings.word_embeddings.weight.detach()[list(rows)].clone()
    pruned.bert.embeddings.word_embeddings = nn.Embedding(len(words), words.shape[1], 0, _weight=words)
    weights = model.comparison.term_weights.detach()[list(rows)].clone()
    pruned.comparison.term_weights = nn.Parameter(weights)
    pruned.config.vocab_size = len(words)
    return pruned


def head_gains(model: Bert, samples: Samples) -> dict[int, Tensor]:
    """Return by layer, (heads,), how far scores move, to first order, when a head is turned off.

    The mean over pairs of |d score / d gate| at gate 1 (Michel, Levy and Neubig 2019, "Are Sixteen Heads
    Really Better than One?", equation 3, with the score in place of a loss).
    """
    projections = [layer.attention.output.dense for layer in model.bert.encoder.layer]
    sums: dict[int, Tensor] = {}
    for sample in samples:
        mixed: list[Tensor] = []
        handles = [
            projection.register_forward_pre_hook(lambda _, inputs, seen=mixed: seen.append(inputs[0]))
            for projection in projections
        ]
        logits = model(**sample).logits
        for handle in handles:
            handle.remove()
        gradients = torch.autograd.grad(logits.sum(), mixed)
        for number, (states, gradient) in enumerate(zip(mixed, gradients, strict=True)):
            heads = model.bert.encoder.layer[number].attention.self.num_attention_heads
            by_head = (states * gradient).detach().view(*states.shape[:2], heads, -1)
            sums[number] = sums.get(number, torch.zeros(heads)) + by_head.sum((1, 3)).abs().sum(0)
    pairs = sum(len(sample["input_ids"]) for sample in samples)
    return {number: total / pairs for number, total in sums.items()}


def _keep_heads(layer: Bert, kept: Tensor) -> None:
    """Cut the others out of the layer's four projections."""
    attention, out = layer.attention.self, layer.attention.output.dense
    size = attention.attention_head_size
    dimensions = (kept[:, None] * size + torch.arange(size)).flatten()
    for linear in (attention.query, attention.key, attention.value):
        keep_rows(linear, dimensions)
    weights = _start(out)
    set_weights(out, torch.cat([weights[dimensions], weights[-1:]]))
    attention.num_attention_heads, attention.all_head_size = len(kept), len(dimensions)


def _fit_attention(pruned: Bert, layer: Bert, model: Bert, norm: nn.LayerNorm, samples: Samples) -> None:
    """`norm`: of the whole model, whose input is what the layer's attention should make."""
    out = layer.attention.output
    ((wanted, _),) = _states(model, norm, samples)
    (mixed, _), (summed, _) = token_states(pruned, [out.dense, out.LayerNorm], samples)
    residual = summed - out.dense(mixed)
    set_weights(out.dense, ridge(mixed, wanted - residual, _start(out.dense)))


def _fit_feed_forward(
    pruned: Bert, layer: Bert, model: Bert, norm: nn.LayerNorm, samples: Samples, width: int
) -> None:
    """`norm`: of the whole model, whose input is what the layer's feed-forward block should make."""
    outer = layer.output.dense
    ((wanted, _),) = _states(model, norm, samples)
    ((attended, neurons),) = token_states(pruned, [layer.intermediate], samples)
    kept, solved = sparse_ridge(neurons, wanted - attended, _start(outer), width)
    keep_rows(layer.intermediate.dense, kept)
    set_weights(outer, solved)
    layer.output.LayerNorm.load_state_dict(norm.state_dict())


def _states(model: Bert, norm: nn.LayerNorm, samples: Samples) -> list[tuple[Tensor, Tensor]]:
    """What goes into a norm of the whole model, and comes out, by the layers up to it."""
    layers = model.bert.encoder.layer
    needed = 1 + next(place for place, layer in enumerate(layers) if norm in {*layer.modules()})
    model.bert.encoder.layer = layers[:needed]
    try:
        return token_states(model, [norm], samples)
    finally:
        model.bert.encoder.layer = layers


def _start(linear: nn.Linear) -> Tensor:
    """Return the present weights and biases as `ridge` takes them."""
    return torch.cat([linear.weight.T, linear.bias[None]]).detach()
