"""What is read of a long passage where there is no time for all of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from retrieval.reranker.windows import IntArray, TokenizedPair

# Tokens of a passage in an excerpt at the least, however long the query is.
LEAST = 16


def least(window: TokenizedPair) -> int:
    """Tokens of the window's shortest excerpt."""
    return min(len(window.ids), _around(window) + LEAST)


def excerpt(windows: Sequence[TokenizedPair], tokens: int) -> TokenizedPair:
    """The query with the beginning of its passage, and that part of the rest which adds most of its words.

    Both parts are of the same length: a passage begins with its title and heading, which say what the rest
    is about.

    Args:
        windows: of one pair, in the order of its text.
        tokens: of the excerpt, with the query and the special tokens; more where `least` needs more.
    """
    first = windows[0]
    room = max(LEAST, tokens - _around(first))
    passages = [window.ids[window.passage] for window in windows]
    beginning, rest = np.split(passages[0], [room // 2])
    query = np.setdiff1d(first.ids[: first.passage.start], beginning)
    found = [_best_part(each, query, room - room // 2) for each in (rest, *passages[1:])]
    _, part = max(found, key=lambda each: each[0])  # the first of equals
    start = first.passage.start
    ids = np.concatenate((first.ids[:start], beginning, part, first.ids[first.passage.stop :]))
    return TokenizedPair(first.place, ids, first.head, slice(start, start + len(beginning) + len(part)))


def _best_part(passage: IntArray, query: IntArray, length: int) -> tuple[int, IntArray]:
    """How many of the query's tokens stand in the best part of this length, and that part."""
    last = max(0, len(passage) - length)
    starts = np.append(np.arange(0, last, max(1, length // 8)), last)
    counted = np.cumsum(passage[:, None] == query, axis=0)
    counted = np.vstack((np.zeros(len(query), np.int64), counted))
    ends = np.minimum(starts + length, len(passage))
    held = ((counted[ends] - counted[starts]) > 0).sum(axis=1)
    equals = np.flatnonzero(held == held.max())
    near = equals[equals - equals[0] == np.arange(len(equals))]
    # What was found stands best in the middle; where nothing is better, the passage goes on.
    start = int(starts[near[len(near) // 2]]) if near[0] else 0
    return int(held.max()), passage[start : start + length]


def _around(window: TokenizedPair) -> int:
    """Tokens of a window that are not its passage's."""
    return len(window.ids) - len(window.ids[window.passage])
