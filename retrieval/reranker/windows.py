"""Pairs to tokens: a passage longer than the model's window becomes a few windows that overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from retrieval.reranker.words import WordIds, valid

IntArray = NDArray[np.int64]

# Beyond this share of unknown tokens a text is in a script that the model never saw.
MAX_UNKNOWN = 0.3
# A passage costs at most this many windows; on a longer one they are spread, from its start to its end.
MAX_WINDOWS = 4
OVERLAP = 0.25  # of a window's passage, at the least where the windows suffice


class TokenizedPair(NamedTuple):
    """One (query, passage), or the query with one window of a long passage, as the model reads it."""

    place: int  # of the pair among those of the caller
    ids: IntArray  # (tokens,)
    head: int  # tokens of the query's type, which come first
    passage: slice  # where the passage's tokens stand


class PairTokenizer:
    """Any fast tokenizer with a template for pairs. Safe in any thread.

    Each text is encoded by itself, the query of many passages once, and the template's special tokens are put
    between them here.
    """

    def __init__(self, tokenizer: Tokenizer, max_length: int) -> None:
        """`max_length`: tokens that the model reads of a pair, its special tokens among them."""
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._encode: Callable[[Sequence[str]], list[IntArray]] = self._by_tokenizer
        if WordIds.suits(tokenizer):
            words = WordIds(tokenizer)
            self._encode = lambda texts: [words.ids(text) for text in texts]
        self._unknown_id = first_known(tokenizer, "[UNK]", "<unk>", otherwise=-1)
        sample = tokenizer.encode("a", "a")
        ids, sides = (
            np.array(sample.ids, np.int64),
            np.array([-1 if s is None else s for s in sample.sequence_ids]),
        )
        query, passage = np.flatnonzero(sides == 0), np.flatnonzero(sides == 1)
        self._before, self._after = ids[: query[0]], ids[passage[-1] + 1 :]
        self._between = ids[query[-1] + 1 : passage[0]]
        types = np.array(sample.type_ids)
        self._room = max_length - int((sides == -1).sum())
        self.types: tuple[int, int] = (int(types[query[0]]), int(types[passage[0]]))
        # Some templates open the passage with a token of its own, which is of the passage's type.
        self._closing = int((types[query[-1] + 1 : passage[0]] == self.types[0]).sum())

    def tokenize(self, pairs: Sequence[tuple[str, str]]) -> list[TokenizedPair]:
        """The windows that the model can read, those of a pair in the order of its text."""
        queries = list(dict.fromkeys(query for query, _ in pairs))
        query_ids = dict(zip(queries, self._encode(queries), strict=True))
        passages = self._encode([passage for _, passage in pairs])
        return [
            self._joined(place, query, passage)
            for place, ((text, _), whole) in enumerate(zip(pairs, passages, strict=True))
            for query, passage in _windows(query_ids[text], whole, self._room)
            if self._readable(query) and self._readable(passage)
        ]

    def _joined(self, place: int, query: IntArray, passage: IntArray) -> TokenizedPair:
        ids = np.concatenate((self._before, query, self._between, passage, self._after))
        head = len(self._before) + len(query)
        start = head + len(self._between)
        return TokenizedPair(place, ids, head + self._closing, slice(start, start + len(passage)))

    def _by_tokenizer(self, texts: Sequence[str]) -> list[IntArray]:
        encodings = self._tokenizer.encode_batch_fast(
            [valid(text) for text in texts], add_special_tokens=False
        )
        return [np.array(encoding.ids, np.int64) for encoding in encodings]

    def _readable(self, ids: IntArray) -> bool:
        return int(np.count_nonzero(ids == self._unknown_id)) <= MAX_UNKNOWN * len(ids)


def _windows(query: IntArray, passage: IntArray, room: int) -> Iterator[tuple[IntArray, IntArray]]:
    """The query's and the passage's tokens of each window; `room`: tokens of a window for both."""
    query = query[: max(room - len(passage), room // 2)]  # a long query leaves half of the window
    room -= len(query)
    if len(passage) <= room:
        yield query, passage
        return
    overlap = int(room * OVERLAP)
    needed = -(-(len(passage) - overlap) // (room - overlap))
    for start in np.linspace(0, len(passage) - room, min(needed, MAX_WINDOWS)).round().astype(int).tolist():
        yield query, passage[start : start + room]


def first_known(tokenizer: Tokenizer, *tokens: str, otherwise: int) -> int:
    """The id of the first of the tokens that the vocabulary has."""
    ids = (tokenizer.token_to_id(token) for token in tokens)
    return next((id for id in ids if id is not None), otherwise)
