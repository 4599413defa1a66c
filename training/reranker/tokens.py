"""Texts as the cross-encoder's tokens, for training it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

TOGETHER = 32  # texts that are padded to the same length
Ids = NDArray[np.int64]


def pair_inputs(tokenizer: Tokenizer, pairs: Sequence[tuple[str, str]]) -> dict[str, Tensor]:
    """Pairs as the cross-encoder reads them, padded."""
    encodings = tokenizer.encode_batch_fast(list(pairs))
    ids, mask = padded([encoding.ids for encoding in encodings], "cpu")
    types = torch.zeros_like(ids)
    types[mask.bool()] = torch.tensor([type for encoding in encodings for type in encoding.type_ids])
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def joined(pairs: Sequence[tuple[Ids, Ids]]) -> dict[str, Tensor]:
    """The same of pairs of tokens, each text with its special ones."""
    ids, mask = padded([np.concatenate(pair) for pair in pairs], "cpu")
    first = torch.tensor([len(query) for query, _ in pairs])
    types = (torch.arange(ids.shape[1]) >= first[:, None]) & mask.bool()
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types.long()}


def plain_tokenizer(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def padded(rows: Sequence[Sequence[int] | Ids], device: str) -> tuple[Tensor, Tensor]:
    """Ids (rows, longest), and which of them are there."""
    lengths = np.array([len(row) for row in rows])
    ids = np.zeros((len(rows), -8 * (-lengths.max() // 8)), dtype=np.int64)
    mask = np.arange(ids.shape[1])[None] < lengths[:, None]
    ids[mask] = np.concatenate(rows)
    return torch.from_numpy(ids).to(device), torch.from_numpy(mask.astype(np.int64)).to(device)


def text_ids(tokenizer: Tokenizer, texts: Sequence[str], longest: int) -> list[Ids]:
    """[CLS] text [SEP] of each, of the text so many tokens at the most."""
    cls, sep = tokenizer.encode("").ids
    encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    return [np.array([cls, *encoding.ids[:longest], sep]) for encoding in encodings]


def by_length(ids: Sequence[Ids]) -> list[NDArray[np.intp]]:
    """The places of the texts from short to long, in parts that are padded together."""
    order = np.argsort([len(row) for row in ids], kind="stable")
    return np.array_split(order, -(-len(order) // TOGETHER))
