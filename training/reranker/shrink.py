"""Distil the cross-encoder into fewer layers or neurons, on a CPU: its scores over lists, and its states.

    python -m training.reranker.shrink --model FOLDER --candidates FILE --layers 0,2,4,5 --out FOLDER

Candidates come from `training.reranker.candidates`. The student begins as a part of the model, fitted to what
the whole computes (`training.reranker.prune`).
"""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from retrieval.reranker.twin import TwinBert
from training.reranker.export import TOKENIZER_FILES, save_torch
from training.reranker.layers import Bert
from training.reranker.lists import Lists, Pairs, Split, calibration, read_lists
from training.reranker.loop import Log, fast, learn, listwise_loss, rate_at, without_dropout
from training.reranker.prune import Cut, prune, stands_for

QUERIES = 4  # in a batch
LEARNING_RATE = 2e-4
TAUGHT = "distilled.json"
STEPS = 300
JUDGED = 24  # held-out queries


@dataclass(frozen=True, slots=True)
class Taught:
    """How a distillation went. Divergences are of held-out queries' lists: `listwise_loss`."""

    steps: int
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """`cut`: of the teacher, what the student begins as. `hidden`: the weight of the states' loss."""

    cut: Cut
    hidden: float
    steps: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True, help="the cross-encoder to shrink")
    parser.add_argument("--candidates", type=Path, required=True)
    parser.add_argument("--layers", help="of the model, with the last: 0,2,4,5; otherwise all")
    parser.add_argument("--feed-forward", type=int, help="neurons of each layer; otherwise all")
    parser.add_argument("--hidden", type=float, default=1.0, help="weight of the states; 0: scores alone")
    parser.add_argument("--steps", type=int, default=STEPS, help="of 32 pairs")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    layers = tuple(int(number) for number in options.layers.split(",")) if options.layers else None
    recipe = Recipe(Cut(layers, feed_forward=options.feed_forward), options.hidden, options.steps)
    shrink(options.model, recipe, *read_lists(options.model, options.candidates), options.out)


def shrink(model: Path, recipe: Recipe, lists: Lists, pairs: Pairs, out: Path) -> None:
    """Writes model.safetensors, configuration, tokenizer and distilled.json (`Taught`) to `out`.

    Raises:
        ValueError: the recipe's layers lack the last one, or are not ascending.
    """
    torch.manual_seed(0)
    teacher: Bert = TwinBert.from_pretrained(model, dtype=torch.float32)
    student = prune(teacher.eval(), calibration(lists, pairs), recipe.cut)
    taught = teach(student, teacher, lists, pairs, recipe)
    out.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER_FILES:
        shutil.copyfile(model / name, out / name)
    save_torch(student, out)
    (out / TAUGHT).write_text(json.dumps(asdict(taught)), encoding="utf-8")


def teach(student: Bert, teacher: Bert, lists: Lists, pairs: Pairs, recipe: Recipe) -> Taught:
    """Train the student in place, in bfloat16 where the CPU has it."""
    random, split = np.random.default_rng(0), Split.of(lists)
    optimizer = torch.optim.AdamW(student.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    without_dropout(student)
    before = _judged(student, teacher, lists, pairs, split)
    student.train()
    log = Log("listwise", "hidden", every=50)
    for step in range(recipe.steps):
        rows = random.choice(split.train, QUERIES, replace=False)
        inputs = pairs.inputs(rows, lists.draw(rows, random, split.allowed), "cpu")
        losses = _losses(student, teacher, inputs, recipe, len(rows))
        learn(
            student,
            optimizer,
            losses[0] + recipe.hidden * losses[1],
            rate_at(LEARNING_RATE, step / recipe.steps),
        )
        log.add(losses)
    student.eval()
    after = _judged(student, teacher, lists, pairs, split)
    print(f"{recipe.steps} steps, divergence of held-out queries {before:.4f} -> {after:.4f}", flush=True)
    return Taught(recipe.steps, before, after)


def hidden_loss(states: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """The squared distance of the tokens' states as a share of the wanted states' variance.

    TinyBERT's distillation of hidden states (Jiao et al. 2020, equation 8) without its matrix: both are of
    the same size. `states`, `wanted`: (pairs, tokens, size); `mask`: (pairs, tokens).
    """
    there = mask.bool()
    target = wanted[there].float()
    return nn.functional.mse_loss(states[there].float(), target) / target.var(0).mean()


def _losses(student: Bert, teacher: Bert, inputs: dict[str, Tensor], recipe: Recipe, queries: int) -> Tensor:
    """(2,): by the scores of each query's passages, and by the states."""
    with torch.no_grad(), fast():
        wanted = teacher(**inputs, output_hidden_states=True)
    with fast():
        got = student(**inputs, output_hidden_states=True)
    listwise = listwise_loss(got.logits.float().view(queries, -1), wanted.logits.float().view(queries, -1))
    if not recipe.hidden:
        return torch.stack([listwise, torch.zeros(())])
    distances = [
        hidden_loss(got.hidden_states[place + 1], wanted.hidden_states[target + 1], inputs["attention_mask"])
        for place, target in enumerate(stands_for(recipe.cut.kept(teacher)))
    ]
    return torch.stack([listwise, torch.stack(distances).mean()])


def _judged(student: Bert, teacher: Bert, lists: Lists, pairs: Pairs, split: Split) -> float:
    """The listwise divergence over held-out queries, all passages allowed."""
    random = np.random.default_rng(1)
    student.eval()
    found = []
    for rows in np.array_split(split.test[:: max(1, len(split.test) // JUDGED)][:JUDGED], JUDGED // QUERIES):
        inputs = pairs.inputs(rows, lists.draw(rows, random), "cpu")
        with torch.inference_mode(), fast():
            scores = [model(**inputs).logits.float().view(len(rows), -1) for model in (student, teacher)]
        found.append(listwise_loss(*scores).item())
    return float(np.mean(found))


if __name__ == "__main__":
    main()
