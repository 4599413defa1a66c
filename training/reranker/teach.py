"""Teach a cross-encoder, in place: labels, the order of the model that it was made of, and its states.

Each is a loss over lists: a query's candidates are all passages of a batch, its own, those of other queries
and those that BM25 finds for them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.reranker.batches import Batch, Tokens, batches, unseen_batches
from training.reranker.crossing import read_batch, score_all
from training.reranker.examples import Examples
from training.reranker.layers import Bert
from training.reranker.prune import Cut, stands_for

LEARNING_RATE = 3e-5
WARM_UP = 0.03  # of the training


@dataclass(frozen=True, slots=True)
class Recipe:
    """`cut`: what the student is of the teacher. `labels`: their share beside the teacher's order, 0 to 1.

    `hidden`: the weight of the states' loss, which is added.
    """

    cut: Cut
    labels: float
    hidden: float
    steps: int


@dataclass(frozen=True, slots=True)
class Taught:
    """How it went on held-out lists, before and after: how far the student's order is from the teacher's
    (`order_loss`), and the mean reciprocal rank of the right passages. `queries`: so many were asked.
    """

    steps: int
    queries: int
    divergence: tuple[float, float]
    reciprocal_rank: tuple[float, float]


def teach(student: Bert, teacher: Bert, examples: Examples, tokens: Tokens, recipe: Recipe) -> Taught:
    """Embeddings and the comparison stay as they are."""
    layers = list(enumerate(stands_for(recipe.cut.kept(teacher)))) if recipe.hidden else []
    unseen = unseen_batches(examples, tokens)
    before = judge(student, teacher, unseen)
    _prepare(student)
    learned = [parameter for parameter in student.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(learned, weight_decay=0.0)
    shares = torch.tensor([1 - recipe.labels, recipe.labels, recipe.hidden])
    log, queries = _Log(), 0
    for step, batch in enumerate(batches(examples.learned, tokens, recipe.steps, seed=0)):
        losses = _losses(student, teacher, batch, layers)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(LEARNING_RATE, step / recipe.steps)
        optimizer.zero_grad(set_to_none=True)
        (losses @ shares.to(losses.device)).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(learned, 1.0)
        optimizer.step()
        log.add(losses, step)
        queries += len(batch.queries)
    after = judge(student, teacher, unseen)
    taught = Taught(recipe.steps, queries, (before[0], after[0]), (before[1], after[1]))
    print(taught, flush=True)
    return taught


def judge(student: Bert, teacher: Bert, unseen: Sequence[Batch]) -> tuple[float, float]:
    """Divergence and mean reciprocal rank: `Taught`."""
    student.eval()
    divergences, ranks = [], []
    for batch in unseen:
        with torch.inference_mode():
            got, wanted = (
                score_all(model.comparison, *read_batch(model, batch)) for model in (student, teacher)
            )
        divergences.append(order_loss(got, wanted))
        own = got.gather(1, batch.own.to(got.device)[:, None])
        ranks.append(1 + (got > own).sum(1))
    return float(torch.stack(divergences).mean()), float((1 / torch.cat(ranks).float()).mean())


def order_loss(scores: Tensor, wanted: Tensor) -> Tensor:
    """The divergence of each row's softmax over the scores from that over the wanted ones, their mean."""
    return nn.functional.kl_div(scores.log_softmax(1), wanted.softmax(1), reduction="batchmean")


def hidden_loss(states: Tensor, wanted: Tensor, mask: Tensor) -> Tensor:
    """The squared distance of the tokens' states as a share of the wanted states' variance.

    TinyBERT's distillation of hidden states (Jiao et al. 2020, equation 8) without its matrix: both are of
    the same size. `states`, `wanted`: (texts, tokens, size); `mask`: (texts, tokens).
    """
    there = mask.bool()
    target = wanted[there].float()
    return nn.functional.mse_loss(states[there].float(), target) / target.var(0).mean()


def rate_at(highest: float, done: float) -> float:
    """Up, then down to nothing; `done`: the share of the training that is behind, 0 to 1."""
    return highest * min(1.0, (done + 1e-3) / WARM_UP) * min(1.0, (1 - done) / (1 - WARM_UP))


def _prepare(student: Bert) -> None:
    student.train()
    if student.device.type == "cpu":  # by torch's own attention a step takes a third longer
        student.set_attn_implementation("eager")
    for module in student.modules():
        # The teacher's knowledge is more than the student's weights can hold: nothing to regularise.
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    for parameter in (*student.bert.embeddings.parameters(), *student.comparison.parameters()):
        parameter.requires_grad = False


def _losses(student: Bert, teacher: Bert, batch: Batch, layers: Sequence[tuple[int, int]]) -> Tensor:
    """(3,): by the teacher's order, by the labels, by the states. `layers`: the student's, the teacher's."""
    with torch.no_grad():
        theirs = read_batch(teacher, batch)
        wanted = score_all(teacher.comparison, *theirs)
    ours = read_batch(student, batch)
    scores = score_all(student.comparison, *ours)
    labels = nn.functional.cross_entropy(scores, batch.own.to(scores.device))
    distances = [
        hidden_loss(got.hidden[place + 1], there.hidden[target + 1], got.mask)
        for side, wanted_side in zip(ours, theirs, strict=True)
        for got, there in zip(side.parts, wanted_side.parts, strict=True)
        for place, target in layers
    ]
    states = torch.stack(distances).mean() if distances else labels.new_zeros(())
    return torch.stack([order_loss(scores, wanted), labels, states])


class _Log:
    """Prints the means of the losses, (3,), every so many steps."""

    EVERY = 25

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._since: list[Tensor] = []

    def add(self, losses: Tensor, step: int) -> None:
        self._since.append(losses.detach())
        if (step + 1) % self.EVERY == 0:
            teacher, labels, states = torch.stack(self._since).mean(0).tolist()
            seconds = time.monotonic() - self._started
            print(
                f"step {step + 1}, {seconds:.0f} s: teacher {teacher:.4f}, labels {labels:.4f}, "
                f"states {states:.4f}",
                flush=True,
            )
            self._since.clear()
