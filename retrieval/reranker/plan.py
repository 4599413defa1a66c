"""How many candidates of each waiting search the model reads next, and how much of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.reranker.windows import IntArray

# A search whose first so many candidates were read counts as reranked. All waiting searches get theirs first.
FIRST = 5
WHOLE = 1 << 30  # of every candidate, and of its passage
# (candidates, tokens of each with its query) from the shallowest to all. The order was chosen on judged sets
# (`python -m research.rerank_budgets`).
LEVELS = (
    (5, 32),
    *((depth, 48) for depth in (5, 8, 12, 20)),
    *((20, tokens) for tokens in (64, 80, 96, 112, 128, 160, 192, 256)),
    (WHOLE, WHOLE),
)
# The speed is an estimate: what is planned takes this share of the time that is left.
SAFE = 0.85
# A run takes this share of it, since what it reads counts at its end, and others may come meanwhile; or these
# seconds, since each run costs something.
RUN, RUN_S = 0.25, 0.1


@dataclass(frozen=True, slots=True)
class Waiting:
    """What of a search was not read yet."""

    whole: IntArray  # (candidates,) tokens of each, in their order
    least: IntArray  # (candidates,) tokens of the shortest excerpt of each
    read: int  # candidates before these, which were read
    seconds: float  # until its deadline; infinite where it has none

    def costs(self, level: tuple[int, int]) -> IntArray:
        """(candidates,) tokens of those that are still to be read at this level."""
        depth, tokens = level
        left = max(0, depth - self.read)
        costs: IntArray = np.minimum(self.whole[:left], np.maximum(self.least[:left], tokens))
        return costs

    @property
    def urgent(self) -> int:
        """How many of the first five are missing."""
        return max(0, FIRST - self.read)


class Piece(NamedTuple):
    """The next candidates of one search, each read up to so many tokens."""

    search: int
    candidates: int
    tokens: int


class Plan(NamedTuple):
    """`run`: what the model reads next. `over`: searches of which it can read no more in time."""

    run: list[Piece]
    over: list[int]


def plan(waiting: Sequence[Waiting], seconds_per_token: float, most_tokens: int) -> Plan:
    """What the next run of the model reads; empty only where all searches are over.

    1. Each search gets the highest level at which it, and all that are more pressing, keep their deadlines.
    2. The first five of all searches go first, those of the most pressing one at their head; then the rest.
    3. A run ends where it would last too long, or exceed the model's budget; it reads one candidate at least.
    4. Where there is time for no search, the most pressing one without its first five is tried.

    Args:
        waiting: what the searches still want read.
        seconds_per_token: the model's; 0 where it is not known yet.
        most_tokens: of a run.
    """
    order = sorted(range(len(waiting)), key=lambda number: waiting[number].seconds)
    pace = max(seconds_per_token, 1e-12)
    rooms = SAFE * np.array([waiting[number].seconds for number in order]) / pace
    levels = _levels([waiting[number] for number in order], rooms)
    wanted = [waiting[number].costs(level) for number, level in zip(order, levels, strict=True)]
    able = [len(costs) > 0 and costs[0] <= room for costs, room in zip(wanted, rooms, strict=True)]
    if not any(able):  # the speed may be better than it is believed to be since the model hung
        able = _tried([waiting[number] for number in order])
    run: list[Piece] = []
    spent, limit = 0, 0.0
    for place, costs in _queue([waiting[number].urgent for number in order], wanted, able):
        limit = limit or max(costs[0], min(most_tokens, max(RUN * rooms[place], RUN_S / pace)))
        ends = spent + np.cumsum(costs)
        fits = max(int(not run), int(np.searchsorted(ends, min(limit, rooms[place]), side="right")))
        if fits:
            run.append(Piece(order[place], fits, levels[place][1]))
            spent = int(ends[fits - 1])
        if ends[-1] > limit:
            break
    return Plan(run, [number for number, can in zip(order, able, strict=True) if not can])


def has_room(search: Waiting, others: Sequence[Waiting], seconds_per_token: float) -> bool:
    """Whether a new search can have its first five in time, after those of all that are more pressing."""
    ahead = [other for other in others if other.seconds <= search.seconds]
    tokens = sum(int(each.costs(LEVELS[0])[: each.urgent].sum()) for each in (*ahead, search))
    return not ahead or tokens * seconds_per_token <= search.seconds


def _levels(ordered: Sequence[Waiting], rooms: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The level of each search; the lowest where even that takes more tokens than there is room for."""
    highest = np.zeros(len(ordered), np.int64)
    for number, level in enumerate(LEVELS):
        costs = [search.costs(level) for search in ordered]
        urgent = [part[: search.urgent].sum() for part, search in zip(costs, ordered, strict=True)]
        # What goes before a search: all that is more pressing, and the first five of everyone.
        before = np.cumsum([part.sum() for part in costs]) + np.sum(urgent) - np.cumsum(urgent)
        highest[before <= rooms] = number
    fair = np.minimum.accumulate(highest[::-1])[::-1]
    return [LEVELS[number] for number in fair.tolist()]


def _tried(ordered: Sequence[Waiting]) -> list[bool]:
    """True for the first search without its first five, if its deadline has not passed."""
    unread = [min(search.urgent, len(search.whole)) > 0 and search.seconds > 0 for search in ordered]
    return [each and place == unread.index(True) for place, each in enumerate(unread)]


def _queue(
    urgent: Sequence[int], wanted: Sequence[IntArray], able: Sequence[bool]
) -> Iterator[tuple[int, IntArray]]:
    """The places of the searches with the costs of their next candidates, the first five of all first."""
    for firsts in (True, False):
        for place, (missing, costs) in enumerate(zip(urgent, wanted, strict=True)):
            part = costs[:missing] if firsts else costs[missing:]
            if able[place] and len(part):
                yield place, part
