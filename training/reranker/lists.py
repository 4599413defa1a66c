"""Lists of candidates by query, and their tokens for a cross-encoder."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from training.reranker.held_out import held_out

QUERY_TOKENS, PASSAGE_TOKENS, SHORT = 32, 224, 112


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


class Pairs:
    """The cross-encoder's tokens of queries and passages, made once, joined for each batch."""

    def __init__(self, folder: Path, lists: Lists, *, passage_tokens: int = PASSAGE_TOKENS) -> None:
        tokenizer = plain_tokenizer(folder)
        self._queries = _ids(tokenizer, lists.queries, QUERY_TOKENS)
        self._passages = _ids(tokenizer, lists.passages, passage_tokens)

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


def pair_inputs(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> dict[str, Tensor]:
    """Pairs as the cross-encoder reads them, padded."""
    encodings = tokenizer.encode_batch_fast(list(pairs))
    ids, mask = padded([encoding.ids for encoding in encodings], "cpu")
    types = torch.zeros_like(ids)
    types[mask.bool()] = torch.tensor([type for encoding in encodings for type in encoding.type_ids])
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def read_candidates(file: Path) -> dict[str, Any]:
    """What `training.reranker.candidates` wrote."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        table: dict[str, Any] = json.load(lines)
    return table


def read_lists(model: Path, candidates: Path) -> tuple[Lists, Pairs]:
    """The lists of candidates, and their tokens for the model in that folder: short passages, for a CPU."""
    table = read_candidates(candidates)
    # BM25's only: finding neighbours by meaning takes a transformer's vectors of all passages.
    found, mix = np.array(table["found"]), Mix(by_words=6, by_meaning=0, random=1)
    lists = Lists(table["queries"], table["passages"], np.array(table["labels"]), found, found, mix)
    return lists, Pairs(model, lists, passage_tokens=SHORT)


def calibration(lists: Lists, pairs: Pairs, batches: int = 18) -> list[dict[str, Tensor]]:
    """Pairs to fit layers on, about 60,000 tokens."""
    random, split = np.random.default_rng(2), Split.of(lists)
    rows = np.array_split(random.choice(split.train, 4 * batches, replace=False), batches)
    return [pairs.inputs(part, lists.draw(part, random, split.allowed), "cpu") for part in rows]


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


def _ids(tokenizer: Tokenizer, texts: Sequence[str], longest: int) -> list[NDArray[np.int64]]:
    """[CLS] text [SEP] of each, of the text so many tokens at the most."""
    cls, sep = tokenizer.encode("").ids
    encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return [np.array([cls, *encoding.ids[:longest], sep]) for encoding in encodings]
