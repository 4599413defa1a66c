"""Tune the grafted cross-encoder on pairs as it will read them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn

from training.reranker.distil import (
    LABEL_WEIGHT,
    PASSAGE_TOKENS,
    QUERY_TOKENS,
    TEMPERATURE,
    Texts,
    fast,
    optimizer_for,
    padded,
    vectors,
)
from training.reranker.loop import Log
from training.reranker.student import Bert
from training.sources import Pair


@dataclass(frozen=True, slots=True)
class PairSchedule:
    """How long, and how large the steps are."""

    steps: int = 300
    queries: int = 4  # in a batch
    passages: int = 8  # for each query: its own, and its neighbours in the source
    learning_rate: float = 5e-5


def tune(
    model: Bert,
    teacher: Bert,
    texts: Texts,
    tokenizer: Tokenizer,
    sources: Sequence[Sequence[Pair]],
    schedule: PairSchedule,
    seed: int = 0,
) -> None:
    """Train in place, listwise: for each query the softmax over its passages follows the bi-encoder's.

    The student was trained on texts apart; together, its mask is not perfect. This teaches the whole
    to give the similarity all the same, with a little weight on the labels.
    """
    random_ = random.Random(seed)
    optimizer, scheduler = optimizer_for(model, schedule.steps, schedule.learning_rate)
    log = Log("pairs", every=10)
    for _ in range(schedule.steps):
        groups = [_group(sources, schedule.passages, random_) for _ in range(schedule.queries)]
        loss = sum((_loss(model, teacher, texts, tokenizer, group) for group in groups), torch.zeros(()))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        log.add(loss[None] / schedule.queries)


def pair_inputs(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> dict[str, Tensor]:
    """Pairs as the cross-encoder reads them, padded."""
    encodings = tokenizer.encode_batch(list(pairs))
    inputs = padded([encoding.ids for encoding in encodings])
    longest = inputs["input_ids"].shape[1]
    types = [encoding.type_ids + [0] * (longest - len(encoding.ids)) for encoding in encodings]
    return inputs | {"token_type_ids": torch.tensor(types)}


def _group(sources: Sequence[Sequence[Pair]], passages: int, random_: random.Random) -> list[Pair]:
    source = random_.choices(sources, [len(source) for source in sources])[0]
    start = random_.randrange(len(source) - passages)
    return list(source[start : start + passages])


def _loss(
    model: Bert,
    teacher: Bert,
    texts: Texts,
    tokenizer: Tokenizer,
    group: Sequence[Pair],
) -> Tensor:
    """Of the group's first query over all the passages of the group."""
    query = group[0].query
    passages = [" ".join(pair.positive.split()[:PASSAGE_TOKENS]) for pair in group]
    with torch.no_grad(), fast():
        wanted_query = vectors(teacher, texts.for_teacher([query], QUERY_TOKENS))
        wanted = vectors(teacher, texts.for_teacher(passages, PASSAGE_TOKENS))
    with fast():
        scores = model(**pair_inputs(tokenizer, [(query, passage) for passage in passages])).logits[:, 0]
    target = (wanted_query.float() @ wanted.float().T / TEMPERATURE).softmax(1)
    listwise = nn.functional.kl_div(scores.float().log_softmax(0), target[0], reduction="sum")
    labels = nn.functional.cross_entropy(scores.float()[None], torch.zeros(1, dtype=torch.long))
    return listwise + LABEL_WEIGHT * labels
