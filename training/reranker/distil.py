"""Teach the student the bi-encoder's similarity, and a little of the labels."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.reranker.loop import Log, listwise_loss, without_dropout
from training.reranker.student import Bert, Marks, pooled
from training.sources import Pair

# Tokens of a passage in training, and how far the query in front of it may push its positions.
PASSAGE_TOKENS = 112
QUERY_TOKENS = 32

# Of the labels against the teacher: neighbouring sections are hard negatives, and often not negative.
LABEL_WEIGHT = 0.2
TEMPERATURE = 0.05


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long, and how large the steps are."""

    steps: int = 1500
    runs: int = 8  # of neighbours in a batch
    neighbours: int = 4  # pairs that follow each other in their source: hard negatives for each other
    learning_rate: float = 3e-4


class Texts:
    """Texts to the tensors that teacher and student read."""

    def __init__(self, teacher: Tokenizer, student: Tokenizer) -> None:
        self._teacher, self._student = teacher, student
        for tokenizer in (teacher, student):
            tokenizer.no_padding()
            tokenizer.no_truncation()
        encoding = student.encode("")
        self._cls, self._sep = encoding.ids

    def for_teacher(self, texts: Sequence[str], longest: int) -> dict[str, Tensor]:
        return padded([encoding.ids[:longest] for encoding in self._teacher.encode_batch(list(texts))])

    def queries(self, texts: Sequence[str]) -> dict[str, Tensor]:
        """As the first segment of a pair: [CLS] text [SEP]."""
        encodings = self._student.encode_batch(list(texts), add_special_tokens=False)
        return padded([[self._cls, *e.ids[:QUERY_TOKENS], self._sep] for e in encodings])

    def passages(self, texts: Sequence[str], random_: random.Random) -> dict[str, Tensor]:
        """As the second segment, text [SEP], at the positions that it has behind a query of some length."""
        encodings = self._student.encode_batch(list(texts), add_special_tokens=False)
        inputs = padded([[*e.ids[:PASSAGE_TOKENS], self._sep] for e in encodings])
        shape = inputs["input_ids"].shape
        starts = torch.tensor([random_.randint(4, QUERY_TOKENS + 2) for _ in texts])[:, None]
        return inputs | {
            "token_type_ids": torch.ones(shape, dtype=torch.long),
            "position_ids": starts + torch.arange(shape[1])[None],
        }


def distil(
    student: Bert,
    marks: Marks,
    teacher: Bert,
    texts: Texts,
    sources: Sequence[Sequence[Pair]],
    schedule: Schedule,
    seed: int = 0,
) -> None:
    """Train the student in place.

    The loss: 1 - cosine to the teacher's vector of each text; the cross entropy between the teacher's and the
    student's softmax over all passages of the batch, for each query (listwise); and a little of the same with
    the labels. Each batch holds runs of neighbours in a source, which are hard negatives for each other.
    """
    random_ = random.Random(seed)
    optimizer, scheduler = optimizer_for(student, schedule.steps, schedule.learning_rate)
    student.train()
    without_dropout(student)
    log = Log("distance", "listwise", "labels", every=50)
    for pairs in _batches(sources, schedule, random_):
        queries, positives = [p.query for p in pairs], [_window(p.positive, random_) for p in pairs]
        with torch.no_grad(), fast():
            wanted_q = vectors(teacher, texts.for_teacher(queries, QUERY_TOKENS))
            wanted_p = vectors(teacher, texts.for_teacher(positives, PASSAGE_TOKENS))
        with fast():
            got_q = pooled(student, texts.queries(queries), marks)
            got_p = pooled(student, texts.passages(positives, random_), marks)
        losses = _losses(got_q.float(), got_p.float(), wanted_q.float(), wanted_p.float())
        loss = losses @ torch.tensor([10.0, 1.0, LABEL_WEIGHT])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        log.add(losses)
    student.eval()


def _losses(got_q: Tensor, got_p: Tensor, wanted_q: Tensor, wanted_p: Tensor) -> Tensor:
    """(3,): distance to the teacher's vectors, listwise divergence from it, cross entropy of the labels."""
    distance = 2 - (got_q * wanted_q).sum(1).mean() - (got_p * wanted_p).sum(1).mean()
    logits = got_q @ got_p.T / TEMPERATURE
    target = wanted_q @ wanted_p.T / TEMPERATURE
    listwise = listwise_loss(logits, target)
    labels = nn.functional.cross_entropy(logits, torch.arange(len(logits)))
    return torch.stack([distance / 2, listwise, labels])


def _batches(
    sources: Sequence[Sequence[Pair]], schedule: Schedule, random_: random.Random
) -> Iterator[list[Pair]]:
    sizes = [len(source) for source in sources]
    for _ in range(schedule.steps):
        batch: list[Pair] = []
        for source in random_.choices(sources, sizes, k=schedule.runs):
            start = random_.randrange(len(source) - schedule.neighbours)
            batch += source[start : start + schedule.neighbours]
        yield batch


def _window(text: str, random_: random.Random) -> str:
    """A passage as chunking makes them: not every one begins where its document does."""
    words = text.split()
    start = random_.randrange(max(1, len(words) - 60)) if random_.random() < 0.3 else 0
    return " ".join(words[start : start + PASSAGE_TOKENS])


def vectors(teacher: Bert, inputs: dict[str, Tensor]) -> Tensor:
    hidden = teacher(**inputs).last_hidden_state
    weights = inputs["attention_mask"][..., None].float()
    return nn.functional.normalize((hidden * weights).sum(1) / weights.sum(1), dim=1)


def optimizer_for(
    model: nn.Module, steps: int, learning_rate: float
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    """Adam with warm-up and linear decay; half the rate for the embeddings."""
    embeddings = [parameter for name, parameter in model.named_parameters() if "embeddings" in name]
    layers = [parameter for name, parameter in model.named_parameters() if "embeddings" not in name]
    groups: list[dict[str, Any]] = [
        {"params": layers},
        {"params": embeddings, "lr": learning_rate / 2},
    ]
    optimizer = torch.optim.Adam(groups, lr=learning_rate)
    warmup = max(1, steps // 20)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, 1 - step / max(1, steps) + 0.02)
    )


def padded(rows: Sequence[Sequence[int]]) -> dict[str, Tensor]:
    longest = max(map(len, rows))
    return {
        "input_ids": torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows]),
        "attention_mask": torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows]),
    }


def fast() -> AbstractContextManager[None]:
    """bfloat16 where the processor multiplies it natively."""
    native = torch.ops.mkldnn._is_mkldnn_bf16_supported()
    context: AbstractContextManager[None] = torch.autocast("cpu", torch.bfloat16, enabled=native)
    return context
