"""What pruning and exporting share: a BERT's states as it reads texts, and its projections, set anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

RIDGE = 1e-4

# A BERT, the cross-encoder on one, or a layer. torch knows every part of a module as "a tensor or a module".
Bert = Any


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


def ridge(known: Tensor, wanted: Tensor, start: Tensor) -> Tensor:
    """(inputs + 1, outputs): weights, and last the biases, that make `wanted` of `known` by least squares.

    Directions that the tokens do not show stay near `start` (weights and biases).
    """
    return sparse_ridge(known, wanted, start, known.shape[1])[1]


def sparse_ridge(known: Tensor, wanted: Tensor, start: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Ascending numbers of `count` inputs that are enough, and what `ridge` makes of them.

    One after another, the input goes whose loss costs least when the others make up for it: its weights'
    squares by its entry in the inverse Gram matrix (optimal brain surgeon, Hassibi and Stork 1992).
    """
    known = torch.cat([known, torch.ones(len(known), 1)], dim=1)
    gram = known.T @ known
    gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram))
    inverse = torch.linalg.inv(gram.double())
    solved = start.double() + inverse @ (known.T @ (wanted - known @ start)).double()
    left = torch.arange(len(start))  # with the biases, which stay
    while len(left) > count + 1:
        costs = solved[:-1].square().sum(1) / inverse.diagonal()[:-1]
        gone = int(costs.argmin())
        stay = torch.arange(len(left)) != gone
        column = inverse[stay, gone] / inverse[gone, gone]
        solved = solved[stay] - column[:, None] * solved[gone]
        inverse = inverse[stay][:, stay] - column[:, None] * inverse[gone, stay]
        left = left[stay]
    return left[:-1], solved.float()


def keep_rows(linear: nn.Linear, kept: Tensor) -> None:
    """Keep only these of its outputs, in place."""
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
