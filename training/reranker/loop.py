"""What the loops that tune a cross-encoder have in common: losses, learning rate, one step, the log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn

from training.reranker.layers import Bert

WARM_UP = 0.03  # of the training


def listwise_loss(scores: Tensor, wanted: Tensor) -> Tensor:
    """The divergence of each row's softmax over the scores from that over the wanted ones, their mean."""
    return nn.functional.kl_div(scores.log_softmax(1), wanted.softmax(1), reduction="batchmean")


def label_loss(scores: Tensor, labelled: Tensor, own: Tensor) -> Tensor:
    """The cross entropy with the first column, mean of the labelled rows; 0 where there is none.

    Args:
        scores: (rows, passages).
        labelled: (rows,) of bool.
        own: (rows, passages), true where a passage is the row's right one. It may be drawn twice, and is no
            wrong answer to its own query.
    """
    twice = own.clone()
    twice[:, 0] = False
    first = torch.zeros(len(scores), dtype=torch.long, device=scores.device)
    losses = nn.functional.cross_entropy(scores.masked_fill(twice, -1e4), first, reduction="none")
    return (losses * labelled).sum() / labelled.sum().clamp(min=1)


def rates(highest: float, seconds: float) -> Iterator[float]:
    """The learning rate of each step, by the clock."""
    started = time.monotonic()
    while (done := (time.monotonic() - started) / seconds) < 1:
        yield rate_at(highest, done)


def rate_at(highest: float, done: float) -> float:
    """Up, then down to nothing; `done`: the share of the training that is behind, 0 to 1."""
    return highest * min(1.0, (done + 1e-3) / WARM_UP) * min(1.0, (1 - done) / (1 - WARM_UP))


def learn(model: Bert, optimizer: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
    """One step."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


def without_dropout(model: Bert) -> None:
    """The teacher's knowledge is more than the student's weights can hold: nothing to regularise."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def fast() -> AbstractContextManager[None]:
    """bfloat16 where the processor multiplies it natively."""
    native = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    context: AbstractContextManager[None] = torch.autocast("cpu", torch.bfloat16, enabled=native)
    return context


class Log:
    """Prints the mean of each loss every so many steps."""

    def __init__(self, *names: str, every: int = 200) -> None:
        self._names, self._every = names, every
        self._sums: Tensor | None = None
        self._started = time.monotonic()
        self.step = 0

    def add(self, losses: Tensor) -> None:
        """`losses`: (names,) of one step."""
        losses = losses.detach()
        self._sums = losses if self._sums is None else self._sums + losses
        self.step += 1
        if self.step % self._every == 0:
            means = zip(self._names, (self._sums / self._every).tolist(), strict=True)
            written = ", ".join(f"{name} {mean:.4f}" for name, mean in means)
            print(f"step {self.step}: {written}, {time.monotonic() - self._started:.0f} s", flush=True)
            self._sums = None
