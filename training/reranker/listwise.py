"""Tune a cross-encoder on a GPU: the bi-encoder's similarity over lists of hard candidates, and some labels.

    python -m training.reranker.listwise --student FOLDER --teacher FOLDER --candidates FILE --out FOLDER

Candidates come from `training.reranker.candidates`. Needs torch, transformers, tokenizers and this folder
only, so that any machine with a GPU can run it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertForSequenceClassification, BertModel

from training.reranker.held_out import held_out

Bert = Any

QUERY_TOKENS, PASSAGE_TOKENS = 32, 224
TEMPERATURE = 0.05  # of the teacher's cosines
LABEL_WEIGHT = 0.3  # of the labels against the teacher: a neighbouring section is often no wrong answer
LISTED = 32  # passages that the teacher ranks first, of which some are candidates
QUERIES = 96  # in a batch
LEARNING_RATE, WARM_UP = 2e-4, 0.03


@dataclass(frozen=True, slots=True)
class Mix:
    """How many passages of a query, beside the right one."""

    by_words: int = 5
    by_meaning: int = 6
    random: int = 4


@dataclass(frozen=True, slots=True)
class Lists:
    """Numbers of passages, by query. `labels`: -1 where none is known to be right."""

    queries: Sequence[str]
    passages: Sequence[str]
    labels: NDArray[np.int64]
    by_words: NDArray[np.int64]
    by_meaning: NDArray[np.int64]
    mix: Mix = Mix()

    def draw(
        self,
        rows: NDArray[np.int64],
        random: np.random.Generator,
        allowed: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.int64]:
        """(rows, passages): the right one first, or the teacher's best where there is none.

        `allowed`: passages that may be candidates; others are taken only where too few of a kind are left.
        """
        if allowed is None:
            allowed = np.ones(len(self.passages), dtype=np.bool_)
        first = np.where(self.labels[rows] >= 0, self.labels[rows], self.by_meaning[rows, 0])
        parts = [first[:, None]]
        for table, count in ((self.by_words, self.mix.by_words), (self.by_meaning, self.mix.by_meaning)):
            last = 1.0 - allowed[table[rows]]
            places = np.argsort(random.random(last.shape) + last, axis=1)[:, :count]
            parts.append(np.take_along_axis(table[rows], places, axis=1))
        parts.append(random.choice(np.flatnonzero(allowed), size=(len(rows), self.mix.random)))
        return np.concatenate(parts, axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--student", type=Path, required=True, help="the cross-encoder to begin from")
    parser.add_argument("--teacher", type=Path, required=True, help="the bi-encoder")
    parser.add_argument("--candidates", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=420.0, help="of training")
    parser.add_argument("--device", default="cuda")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.backends.cuda.matmul.allow_tf32 = True
    table = read_candidates(options.candidates)
    teacher = Teacher(options.teacher, options.device)
    queries = teacher.vectors(table["queries"], QUERY_TOKENS)
    passages = teacher.vectors(table["passages"], PASSAGE_TOKENS)
    lists = Lists(
        table["queries"],
        table["passages"],
        np.array(table["labels"]),
        np.array(table["found"]),
        _nearest(queries, passages),
    )
    model: Bert = BertForSequenceClassification.from_pretrained(options.student, dtype=torch.float32)
    tune(model.to(options.device), lists, queries, passages, Pairs(options.student, lists), options.seconds)
    model.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity"}
    model.half().save_pretrained(options.out)


def read_candidates(file: Path) -> dict[str, Any]:
    """What `training.reranker.candidates` wrote."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        table: dict[str, Any] = json.load(lines)
    return table


class Teacher:
    """A bi-encoder by the mean over its tokens."""

    def __init__(self, folder: Path, device: str) -> None:
        model: Bert = BertModel.from_pretrained(folder, dtype=torch.float16)
        self._model = model.to(device).eval()
        self._tokenizer = plain_tokenizer(folder)
        self._device = device

    def vectors(self, texts: Sequence[str], longest: int) -> Tensor:
        """(texts, size), unit rows, in half precision on the device."""
        self._tokenizer.enable_truncation(longest)
        ids = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]
        order = np.argsort([len(row) for row in ids])
        found = torch.empty(
            len(ids), self._model.config.hidden_size, dtype=torch.float16, device=self._device
        )
        for rows in np.array_split(order, max(1, len(order) // 512)):
            batch, mask = padded([ids[row] for row in rows], self._device)
            with torch.inference_mode():
                hidden = self._model(input_ids=batch, attention_mask=mask).last_hidden_state
            weights = mask[..., None].half()
            pooled = (hidden * weights).sum(1) / weights.sum(1)
            found[torch.from_numpy(rows).to(self._device)] = nn.functional.normalize(
                pooled.float(), dim=1
            ).half()
        return found


class Pairs:
    """The student's tokens of queries and passages, made once, joined for each batch."""

    def __init__(self, folder: Path, lists: Lists, *, passage_tokens: int = PASSAGE_TOKENS) -> None:
        tokenizer = plain_tokenizer(folder)
        cls, sep = tokenizer.encode("").ids
        self._queries = [np.array([cls, *ids, sep]) for ids in _ids(tokenizer, lists.queries, QUERY_TOKENS)]
        self._passages = [np.array([*ids, sep]) for ids in _ids(tokenizer, lists.passages, passage_tokens)]

    def inputs(self, rows: NDArray[np.int64], chosen: NDArray[np.int64], device: str) -> dict[str, Tensor]:
        """All pairs of the rows with their chosen passages."""
        ids, first = [], []
        for row, numbers in zip(rows.tolist(), chosen.tolist(), strict=True):
            query = self._queries[row]
            ids += [np.concatenate((query, self._passages[number])) for number in numbers]
            first += [len(query)] * len(numbers)
        batch, mask = padded(ids, device)
        places = torch.arange(batch.shape[1], device=device)[None]
        types = (places >= torch.tensor(first, device=device)[:, None]) & mask.bool()
        return {"input_ids": batch, "attention_mask": mask, "token_type_ids": types.long()}


@dataclass(frozen=True, slots=True)
class Split:
    """What is learned and what is judged. Nobody learns from the held-out passages, in any role."""

    allowed: NDArray[np.bool_]  # (passages,)
    train: NDArray[np.int64]  # rows of queries
    test: NDArray[np.int64]

    @classmethod
    def of(cls, lists: Lists) -> Split:
        """By the queries' own passages; the judged ones all have a label."""
        unseen = held_out(lists.passages)
        own = np.where(lists.labels >= 0, lists.labels, lists.by_meaning[:, 0])
        test = np.flatnonzero(unseen[own] & (lists.labels >= 0))
        return cls(~unseen, np.flatnonzero(~unseen[own]), test)


def tune(model: Bert, lists: Lists, queries: Tensor, passages: Tensor, pairs: Pairs, seconds: float) -> None:
    """Train in place for so many seconds; the learning rate falls to nothing by the clock."""
    device = str(queries.device)
    random, split = np.random.default_rng(0), Split.of(lists)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, weight_decay=0.01, fused=device != "cpu"
    )
    without_dropout(model)
    judged = _judged(model, lists, pairs, split.test, device)
    print(f"{len(split.train):,} queries, {len(split.test):,} held out: {judged}")
    model.train()
    log = Log("listwise", "labels")
    for rate in rates(LEARNING_RATE, seconds):
        rows = random.choice(split.train, QUERIES, replace=False)
        chosen = lists.draw(rows, random, split.allowed)
        cosines = torch.einsum(
            "qd,qpd->qp",
            queries[torch.from_numpy(rows).to(device)].float(),
            passages[torch.from_numpy(chosen).to(device)].float(),
        )
        with torch.autocast(device.split(":")[0], torch.bfloat16):
            scores = model(**pairs.inputs(rows, chosen, device)).logits.float().view(len(rows), -1)
        labelled = torch.from_numpy(lists.labels[rows] >= 0).to(device)
        losses = torch.stack(
            [
                listwise_loss(scores, cosines / TEMPERATURE),
                label_loss(scores, labelled, torch.from_numpy(chosen == chosen[:, :1]).to(device)),
            ]
        )
        learn(model, optimizer, losses[0] + LABEL_WEIGHT * losses[1], rate)
        log.add(losses)
    model.eval()
    print(f"{log.step} steps, held out: {_judged(model, lists, pairs, split.test, device)}")


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


def _judged(model: Bert, lists: Lists, pairs: Pairs, test: NDArray[np.int64], device: str) -> str:
    """The mean reciprocal rank of the held-out queries' own passages among their candidates."""
    random = np.random.default_rng(1)
    ranks = []
    model.eval()
    for rows in np.array_split(test, max(1, len(test) // QUERIES)):
        chosen = lists.draw(rows, random)
        with torch.inference_mode(), torch.autocast(device.split(":")[0], torch.bfloat16):
            scores = model(**pairs.inputs(rows, chosen, device)).logits.float().view(len(rows), -1)
        other = scores.masked_fill(torch.from_numpy(chosen == chosen[:, :1]).to(device), -1e9)
        ranks.append(1 + (other > scores[:, :1]).sum(1))
    return f"MRR {(1 / torch.cat(ranks).float()).mean().item():.4f}"


def _nearest(queries: Tensor, passages: Tensor) -> NDArray[np.int64]:
    """(queries, LISTED): the numbers of the passages with the highest cosines, best first."""
    starts = range(0, len(queries), 1024)
    parts = [(queries[start : start + 1024] @ passages.T).topk(LISTED).indices for start in starts]
    return np.asarray(torch.cat(parts).cpu().numpy())


def plain_tokenizer(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def padded(rows: Sequence[Sequence[int] | NDArray[np.int64]], device: str) -> tuple[Tensor, Tensor]:
    """Ids (rows, longest), and which of them are there."""
    lengths = np.array([len(row) for row in rows])
    ids = np.zeros((len(rows), -8 * (-lengths.max() // 8)), dtype=np.int64)
    mask = np.arange(ids.shape[1])[None] < lengths[:, None]
    ids[mask] = np.concatenate(rows)
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask.astype(np.int64)).to(device)


def _ids(tokenizer: Tokenizer, texts: Sequence[str], longest: int) -> list[list[int]]:
    encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return [encoding.ids[:longest] for encoding in encodings]


if __name__ == "__main__":
    main()
