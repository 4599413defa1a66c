"""Pairs to tokens: a passage longer than the model's window becomes a few windows that overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

IntArray = NDArray[np.int64]

# Beyond this share of unknown tokens a text is in a script that the model never saw.
MAX_UNKNOWN = 0.3
# A passage costs at most this many windows; on a longer one they are spread, from its start to its end.
MAX_WINDOWS = 4
OVERLAP = 0.25  # of a window's passage, at the least where the windows suffice


@dataclass(frozen=True, slots=True)
class TokenizedPair:
    """One (query, passage), or the query with one window of a long passage, as the model reads it."""

    place: int  # of the pair among those of the caller
    ids: IntArray
    type_ids: IntArray
    readable: bool  # few of the tokens of either text are unknown

    def __len__(self) -> int:
        return len(self.ids)


class PairTokenizer:
    """Any fast tokenizer with a template for pairs. Safe in any thread."""

    def __init__(self, tokenizer: Tokenizer, max_length: int) -> None:
        """`max_length`: tokens that the model reads of a pair, its special tokens among them."""
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._unknown_id = first_known(tokenizer, "[UNK]", "<unk>", otherwise=-1)

    def tokenize(self, pairs: Sequence[tuple[str, str]]) -> list[TokenizedPair]:
        """The windows of all pairs, those of a pair in the order of its text."""
        clean = [(_valid(query), _valid(passage)) for query, passage in pairs]
        encodings = self._tokenizer.encode_batch_fast(clean)
        return [window for place, each in enumerate(encodings) for window in self._windows(place, each)]

    def _windows(self, place: int, encoding: Encoding) -> Iterator[TokenizedPair]:
        ids = np.array(encoding.ids, dtype=np.int64)
        type_ids = np.array(encoding.type_ids, dtype=np.int64)
        unknown = ids == self._unknown_id
        if len(ids) <= self._max_length and not unknown.any():
            yield TokenizedPair(place, ids, type_ids, readable=True)
            return
        sides = np.array([-1 if side is None else side for side in encoding.sequence_ids])
        for kept in _kept(sides, self._max_length):
            readable = all(
                unknown[kept & (sides == side)].mean() <= MAX_UNKNOWN
                for side in (0, 1)
                if (kept & (sides == side)).any()
            )
            yield TokenizedPair(place, ids[kept], type_ids[kept], readable)


def _kept(sides: NDArray[np.int64], max_length: int) -> Iterator[NDArray[np.bool_]]:
    """For each window, which of the pair's tokens are in it: (tokens,).

    Args:
        sides: 0 for the query's tokens, 1 for the passage's, -1 for special ones.
        max_length: tokens of a window.
    """
    query, passage = np.flatnonzero(sides == 0), np.flatnonzero(sides == 1)
    room = max_length - (len(sides) - len(query) - len(passage))
    query = query[: max(room - len(passage), room // 2)]  # a long query leaves half of the window
    room -= len(query)
    overlap = int(room * OVERLAP)
    needed = -(-(len(passage) - overlap) // (room - overlap)) if len(passage) > room else 1
    for start in np.linspace(0, max(0, len(passage) - room), min(needed, MAX_WINDOWS)).round().astype(int):
        kept = sides == -1
        kept[query] = kept[passage[start : start + room]] = True
        yield kept


def first_known(tokenizer: Tokenizer, *tokens: str, otherwise: int) -> int:
    """The id of the first of the tokens that the vocabulary has."""
    ids = (tokenizer.token_to_id(token) for token in tokens)
    return next((id for id in ids if id is not None), otherwise)


def _valid(text: str) -> str:
    """Lone surrogates are no Unicode text, and the tokenizer refuses them."""
    return text.encode("utf-8", "replace").decode("utf-8")
