"""The student: a few layers of MiniLM, and in its hidden state a few dimensions that mark segments.

A cross-encoder that starts from a bi-encoder's weights has its words but not the comparison of two texts,
and learning that from pairs takes more of them than a CPU can show it. So the student is built to be both.
Two hidden marks say which segment a token belongs to, and two dimensions of every attention head turn them
into a mask: tokens attend within their own segment. Reading a query and a passage together then gives the
same states as reading them apart, so the student is trained as a bi-encoder, on single texts and all pairs of
a batch, and `graft.py` adds the layers that pool and compare.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import BertModel


@dataclass(frozen=True, slots=True)
class Shape:
    """Which of the teacher's layers are kept, and how many neurons of each feed-forward block."""

    layers: tuple[int, ...]
    feed_forward: int


# Of all fours, the similarities of these layers agree best with the teacher's.
SHIPPED = Shape(layers=(0, 2, 4, 5), feed_forward=768)

RIDGE = 1e-4

# A BERT or one of its layers. torch knows every part of a module as "a tensor or a module".
Bert = Any

# The size of a mark in the hidden state, about that of its other dimensions' larger values.
MARK = 2.0
# A token's logits for the other segment lie this far below those for its own.
MASK_LOGITS = 16.0


class Marks:
    """Hidden dimensions taken from the text: two for each segment, and an empty one for the score.

    A token of a segment has +MARK / 2 and -MARK / 2 in its two dimensions, others equal values: their
    difference is exactly 0 there, whatever mean the norms subtract.
    """

    def __init__(self, dimensions: list[int]) -> None:
        self.all = dimensions
        self.segments = (dimensions[0:2], dimensions[2:4])
        self.score = dimensions[4]


def load_teacher(folder: Path) -> Bert:
    teacher: Bert = BertModel.from_pretrained(folder, add_pooling_layer=False)
    return teacher.eval()


def make_student(
    teacher: Bert, rows: list[int], samples: Sequence[dict[str, Tensor]], shape: Shape = SHIPPED
) -> tuple[Bert, Marks]:
    """A student with the teacher's weights, and its feed-forward blocks fitted to the teacher's states.

    Args:
        teacher: the bi-encoder's transformer.
        rows: of its vocabulary to keep.
        samples: batches tokenized for the teacher.
    """
    student = copy.deepcopy(teacher)
    student.encoder.layer = nn.ModuleList([student.encoder.layer[number] for number in shape.layers])
    student.config.num_hidden_layers = len(shape.layers)
    with torch.no_grad():
        few = {name: tensor[:24] for name, tensor in samples[0].items()}
        hidden = teacher(**few).last_hidden_state
        marks = Marks(hidden.flatten(0, 1).var(0).topk(5, largest=False).indices.tolist())
        _mark(student, marks)
        size_marks(student, layer_norms(student), marks, few)
        _reconstruct(student, teacher, marks, samples, shape)
        size_marks(student, layer_norms(student), marks, few)
        words = student.embeddings.word_embeddings.weight[rows].clone()
    student.embeddings.word_embeddings = nn.Embedding(
        len(words), words.shape[1], padding_idx=0, _weight=words
    )
    student.config.vocab_size = len(rows)
    return student, marks


def mask_segments(layer: Bert, marks: Marks, logits: float, *, own: bool = False) -> None:
    """Give the last two dimensions of every head to the mask: `logits` less for tokens of the other segment.

    With `own`, for those of the same segment.
    """
    attention = layer.attention.self
    strength = (logits * attention.attention_head_size**0.5) ** 0.5 / MARK
    first, second = marks.segments
    keys = (first, second) if own else (second, first)
    for linear, sign, segments in ((attention.query, 1.0, (first, second)), (attention.key, -1.0, keys)):
        linear.weight[mask_rows(layer)] = 0
        linear.bias[mask_rows(layer)] = 0
        for row in mask_rows(layer):
            plus, minus = segments[row % 2]
            linear.weight[row, plus] = sign * strength
            linear.weight[row, minus] = -sign * strength


def mask_rows(layer: Bert) -> list[int]:
    """The rows of each head's projections that hold the mask: an even and an odd one."""
    attention = layer.attention.self
    size, heads = attention.attention_head_size, attention.num_attention_heads
    return [head * size + size - back for head in range(heads) for back in (2, 1)]


def layer_norms(student: Bert) -> Iterator[nn.LayerNorm]:
    """In the order of the computation."""
    yield student.embeddings.LayerNorm
    for layer in student.encoder.layer:
        yield layer.attention.output.LayerNorm
        yield layer.output.LayerNorm


def size_marks(model: Bert, norms: Iterable[nn.LayerNorm], marks: Marks, sample: dict[str, Tensor]) -> None:
    """Scale each norm's gain, in the order of the computation, so that the marks leave it at their size."""
    with torch.no_grad():
        for norm in norms:
            ((_, normed),) = captured(model, sample, [norm])
            tokens = normed[sample["attention_mask"].bool()]
            plus, minus = (tokens[:, [pair[side] for pair in marks.segments]] for side in (0, 1))
            # Each token carries one of the two marks.
            norm.weight[marks.all[:4]] *= MARK / (plus - minus).sum(1).mean()


def hold_marks(student: Bert, marks: Marks) -> None:
    """Keep training away from the marks and the mask: their gradients become zero."""
    rows = mask_rows(student.encoder.layer[0])
    for name, parameter in student.named_parameters():
        held = torch.ones_like(parameter)
        if "output.dense" in name or "LayerNorm" in name:
            held[marks.all] = 0
        elif parameter.dim() == 2:
            held[:, marks.all] = 0
        if "self.query" in name or "self.key" in name:
            held[rows] = 0
        parameter.register_hook(partial(torch.mul, held))


def captured(
    model: Bert, sample: dict[str, Tensor], modules: Sequence[nn.Module]
) -> list[tuple[Tensor, Tensor]]:
    """The first input and the output of each module as the model reads the sample."""
    seen: dict[nn.Module, tuple[Tensor, Tensor]] = {}
    handles = [
        module.register_forward_hook(
            lambda module, inputs, output: seen.update({module: (inputs[0], output)})
        )
        for module in modules
    ]
    with torch.no_grad():
        model(**sample)
    for handle in handles:
        handle.remove()
    return [seen[module] for module in modules]


def pooled(student: Bert, inputs: dict[str, Tensor], marks: Marks) -> Tensor:
    """Unit vectors (texts, hidden size) by the mean over tokens, the marks left out."""
    hidden = student(**inputs).last_hidden_state
    text = torch.ones(hidden.shape[-1])
    text[marks.all] = 0
    weights = inputs["attention_mask"][..., None].float()
    return nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1) * text, dim=1)


def _reconstruct(
    student: Bert, teacher: Bert, marks: Marks, samples: Sequence[dict[str, Tensor]], shape: Shape
) -> None:
    """Fit the feed-forward blocks, pruned to their largest neurons, to the teacher's states by least squares.

    Layer after layer, the block's output weights are solved (ridge regression over the samples' tokens) so
    that the layer's state, before its norm, is that of the teacher just below the next layer that is kept:
    the block makes up for its own lost neurons, for the mask and for the layers left out. Nothing else trains
    as cheaply.
    """
    targets = [*(number - 1 for number in shape.layers[1:]), shape.layers[-1]]
    norms = [teacher.encoder.layer[target].output.LayerNorm for target in targets]
    states = token_states(teacher, norms, samples)
    for layer, norm, (wanted, _) in zip(student.encoder.layer, norms, states, strict=True):
        ((attended, neurons),) = token_states(student, [layer.intermediate], samples)
        outer = layer.output.dense
        kept = largest_neurons(neurons, outer, shape.feed_forward)
        keep_rows(layer.intermediate.dense, kept)
        set_weights(outer, ridge(neurons[:, kept], wanted - attended))
        layer.output.LayerNorm.load_state_dict(norm.state_dict())
        _clear_writer(outer, layer.output.LayerNorm, marks)
    student.config.intermediate_size = shape.feed_forward


def largest_neurons(neurons: Tensor, outer: nn.Linear, count: int) -> Tensor:
    """Ascending numbers of the neurons that move the block's output most; `neurons`: (tokens, width)."""
    largest: Tensor = (neurons.std(0) * outer.weight.norm(dim=0)).topk(count).indices
    return largest.sort().values


def ridge(known: Tensor, wanted: Tensor, start: Tensor | None = None) -> Tensor:
    """(inputs + 1, outputs): weights, and last the biases, that make `wanted` of `known` by least squares.

    Directions that the tokens do not show stay near `start` (weights and biases; 0 where absent).
    """
    known = torch.cat([known, torch.ones(len(known), 1)], dim=1)
    if start is None:
        start = torch.zeros(known.shape[1], wanted.shape[1])
    gram = known.T @ known
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    solved: Tensor = start + torch.linalg.solve(gram, known.T @ (wanted - known @ start))
    return solved


def keep_rows(linear: nn.Linear, kept: Tensor) -> None:
    """Of its outputs only these, in place."""
    linear.weight, linear.bias = nn.Parameter(linear.weight[kept]), nn.Parameter(linear.bias[kept])
    linear.out_features = len(kept)


def set_weights(linear: nn.Linear, solved: Tensor) -> None:
    """`solved`: as `ridge` gives them; the number of inputs may change."""
    linear.weight, linear.bias = nn.Parameter(solved[:-1].T.contiguous()), nn.Parameter(solved[-1].clone())
    linear.in_features = len(solved) - 1


def token_states(
    model: Bert, modules: Sequence[nn.Module], samples: Sequence[dict[str, Tensor]]
) -> list[tuple[Tensor, Tensor]]:
    """(tokens, size) of each module's input and output over all samples, without padding."""
    runs = [captured(model, sample, modules) for sample in samples]
    masks = [sample["attention_mask"].bool() for sample in samples]
    sides = [
        [
            torch.cat([run[of][side][mask].float() for run, mask in zip(runs, masks, strict=True)])
            for side in (0, 1)
        ]
        for of in range(len(modules))
    ]
    return [(inputs, outputs) for inputs, outputs in sides]


def _mark(student: Bert, marks: Marks) -> None:
    """Empty the marks' dimensions wherever text is read or written; write the segment and the mask."""
    embeddings = student.embeddings
    for table in (
        embeddings.word_embeddings,
        embeddings.position_embeddings,
        embeddings.token_type_embeddings,
    ):
        table.weight[:, marks.all] = 0
    for segment, (plus, minus) in enumerate(marks.segments):
        embeddings.token_type_embeddings.weight[segment, plus] = 1.0
        embeddings.token_type_embeddings.weight[segment, minus] = -1.0
    _clear_norm(embeddings.LayerNorm, marks)
    for layer in student.encoder.layer:
        attention = layer.attention
        for reader in (
            attention.self.query,
            attention.self.key,
            attention.self.value,
            layer.intermediate.dense,
        ):
            reader.weight[:, marks.all] = 0
        _clear_writer(attention.output.dense, attention.output.LayerNorm, marks)
        _clear_writer(layer.output.dense, layer.output.LayerNorm, marks)
        mask_segments(layer, marks, MASK_LOGITS)


def _clear_writer(writer: nn.Linear, norm: nn.LayerNorm, marks: Marks) -> None:
    writer.weight[marks.all] = 0
    writer.bias[marks.all] = 0
    _clear_norm(norm, marks)


def _clear_norm(norm: nn.LayerNorm, marks: Marks) -> None:
    norm.weight[marks.all] = 1
    norm.weight[marks.score] = 0
    norm.bias[marks.all] = 0
