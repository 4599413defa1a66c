"""Tune a cross-encoder on a GPU: the bi-encoder's similarity over lists of hard candidates, and some labels.

    python -m training.reranker_listwise --student FOLDER --teacher FOLDER --candidates FILE --out FOLDER

Candidates come from `training.reranker_candidates`. Needs torch, transformers and tokenizers only, so that
any machine with a GPU can run it.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import BertForSequenceClassification, BertModel

Bert = Any

QUERY_TOKENS, PASSAGE_TOKENS = 32, 224
TEMPERATURE = 0.05  # of the teacher's cosines
LABEL_WEIGHT = 0.3  # of the labels against the teacher: a neighbouring section is often no wrong answer
LISTED = 32  # passages that the teacher ranks first, of which some are candidates
QUERIES = 96  # in a batch
BY_WORDS, BY_MEANING, RANDOM = 5, 6, 4  # passages of a query, beside the right one
LEARNING_RATE, WARM_UP = 2e-4, 0.03
HELD_OUT = 0.02  # of the passages, with all their queries


@dataclass(frozen=True, slots=True)
class Lists:
    """Numbers of passages, by query. `labels`: -1 where none is known to be right."""

    queries: Sequence[str]
    passages: Sequence[str]
    labels: NDArray[np.int64]
    by_words: NDArray[np.int64]
    by_meaning: NDArray[np.int64]

    def draw(self, rows: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.int64]:
        """(rows, passages): the right one first, or the teacher's best where there is none."""
        first = np.where(self.labels[rows] >= 0, self.labels[rows], self.by_meaning[rows, 0])
        parts = [first[:, None]]
        for table, count in ((self.by_words, BY_WORDS), (self.by_meaning, BY_MEANING)):
            places = random.permuted(np.tile(np.arange(table.shape[1]), (len(rows), 1)), axis=1)[:, :count]
            parts.append(np.take_along_axis(table[rows], places, axis=1))
        parts.append(random.integers(len(self.passages), size=(len(rows), RANDOM)))
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
    with gzip.open(options.candidates, "rt", encoding="utf-8") as file:
        table = json.load(file)
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

    def __init__(self, folder: Path, lists: Lists) -> None:
        tokenizer = plain_tokenizer(folder)
        cls, sep = tokenizer.encode("").ids
        self._queries = [np.array([cls, *ids, sep]) for ids in _ids(tokenizer, lists.queries, QUERY_TOKENS)]
        self._passages = [np.array([*ids, sep]) for ids in _ids(tokenizer, lists.passages, PASSAGE_TOKENS)]

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


def tune(model: Bert, lists: Lists, queries: Tensor, passages: Tensor, pairs: Pairs, seconds: float) -> None:
    """Train in place for so many seconds; the learning rate falls to nothing by the clock."""
    device = str(queries.device)
    random = np.random.default_rng(0)
    unseen = random.random(len(lists.passages)) < HELD_OUT
    own = np.where(lists.labels >= 0, lists.labels, lists.by_meaning[:, 0])
    kept, test = np.flatnonzero(~unseen[own]), np.flatnonzero(unseen[own] & (lists.labels >= 0))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=LEARNING_RATE, weight_decay=0.01, fused=device != "cpu"
    )
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0  # the teacher's knowledge is more than these weights can hold
    print(f"{len(kept):,} queries, {len(test):,} held out: {_judged(model, lists, pairs, test, device)}")
    model.train()
    started, step, seen = time.monotonic(), 0, torch.zeros(2, device=device)
    while (done := (time.monotonic() - started) / seconds) < 1:
        for group in optimizer.param_groups:
            group["lr"] = (
                LEARNING_RATE * min(1.0, (done + 1e-3) / WARM_UP) * min(1.0, (1 - done) / (1 - WARM_UP))
            )
        rows = random.choice(kept, QUERIES, replace=False)
        chosen = lists.draw(rows, random)
        cosines = torch.einsum(
            "qd,qpd->qp",
            queries[torch.from_numpy(rows).to(device)].float(),
            passages[torch.from_numpy(chosen).to(device)].float(),
        )
        with torch.autocast(device.split(":")[0], torch.bfloat16):
            scores = model(**pairs.inputs(rows, chosen, device)).logits.float().view(len(rows), -1)
        target = (cosines / TEMPERATURE).softmax(1)
        listwise = nn.functional.kl_div(scores.log_softmax(1), target, reduction="batchmean")
        labelled = torch.from_numpy(lists.labels[rows] >= 0).to(device)
        # The same passage may be drawn twice: it is no wrong answer to its own query.
        twice = torch.from_numpy(chosen[:, 1:] == chosen[:, :1]).to(device)
        masked = torch.cat([scores[:, :1], scores[:, 1:].masked_fill(twice, -1e4)], dim=1)
        labels = nn.functional.cross_entropy(
            masked[labelled], torch.zeros_like(masked[labelled][:, 0]).long()
        )
        loss = listwise + LABEL_WEIGHT * labels
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        seen += torch.stack([listwise.detach(), labels.detach()])
        if step % 200 == 0:
            mean = (seen / 200).tolist()
            seen.zero_()
            spent = time.monotonic() - started
            print(f"step {step}: listwise {mean[0]:.4f}, labels {mean[1]:.4f}, {spent:.0f} s", flush=True)
    model.eval()
    print(f"{step} steps of {scores.numel():,} pairs, held out: {_judged(model, lists, pairs, test, device)}")


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
