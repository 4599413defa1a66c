"""Where things are in the pictures of the page "Quality". The templates draw them as SVG, 320 units wide.

All y coordinates grow downwards, as SVG's do. Values are nDCG@10, from 0 to 1, unless said otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WIDTH = 320
LEFT, RIGHT, TOP, BOTTOM = 34, 262, 12, 150  # of the plot; what is right of it is for labels
LABEL_HEIGHT = 15
ROW_HEIGHT = 30
ROWS_LEFT, ROWS_RIGHT = 100, 226


@dataclass(frozen=True, slots=True)
class Mark:
    """A point in a picture, with the text that belongs to it."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    points: Sequence[Mark]
    label_y: float  # of its name, right of its end

    @property
    def path(self) -> str:
        return " ".join(f"{mark.x},{mark.y}" for mark in self.points)

    @property
    def end(self) -> Mark:
        return self.points[-1]


@dataclass(frozen=True, slots=True)
class Curves:
    """Quality by dimension, before and after; ticks of x below, and of y left."""

    lines: Sequence[Line]
    x_ticks: Sequence[Mark]
    y_ticks: Sequence[Mark]

    @property
    def table(self) -> list[tuple[str, ...]]:
        columns = (self.x_ticks, *(line.points for line in self.lines))
        return [tuple(mark.text for mark in row) for row in zip(*columns, strict=True)]


@dataclass(frozen=True, slots=True)
class Row:
    """One learning run: a line from before to after."""

    y: float
    label: str
    before: Mark
    after: Mark
    kept: bool  # whether the new model went live


@dataclass(frozen=True, slots=True)
class Rows:
    rows: Sequence[Row]
    x_ticks: Sequence[Mark]  # at the lower end of the plot

    @property
    def height(self) -> int:
        """Height of the whole picture, with what stands above and below the plot."""
        return ROW_HEIGHT * len(self.rows) + 36


@dataclass(frozen=True, slots=True)
class Valley:
    """Quality by the weight of the lexical leg, with the weight chosen and the one to begin with."""

    path: str
    chosen: Mark
    prior: Mark
    y_ticks: Sequence[Mark]
    table: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Share:
    """A bar of two parts: how much words and how much meaning count."""

    name: str
    y: float
    split: float  # x where the second part begins
    words: int  # percent

    @property
    def meaning(self) -> int:
        return 100 - self.words

    @property
    def bottom(self) -> float:
        """Where the percentages below the bar end."""
        return self.y + 48


class _Scale:
    """Values to y coordinates, over a range that ends at round numbers."""

    def __init__(self, values: Sequence[float]) -> None:
        low, high = min(values), max(values)
        steps = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25)
        self.step = next((s for s in steps if (high - low) / s <= 3), 0.5)
        self.low = max(0.0, math.floor(low / self.step + 1e-9) * self.step)
        self.high = max(self.low + self.step, math.ceil(high / self.step - 1e-9) * self.step)

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    def y(self, value: float) -> float:
        return round(BOTTOM - self.share(value) * (BOTTOM - TOP), 1)

    def ticks(self) -> list[Mark]:
        count = round((self.high - self.low) / self.step)
        values = [self.low + i * self.step for i in range(count + 1)]
        return [Mark(LEFT, self.y(value), f"{value:.2f}") for value in values]


def curves(before: Mapping[int, float], after: Mapping[int, float]) -> Curves | None:
    """Both by dimension; None where there is nothing in common to compare."""
    dimensions = sorted(before.keys() & after.keys())
    if not dimensions:
        return None
    scale = _Scale([series[d] for series in (before, after) for d in dimensions])
    xs = _spread(len(dimensions))
    lines = []
    for name, series in (("before", before), ("after", after)):
        points = [
            Mark(x, scale.y(series[d]), f"{series[d]:.3f}") for x, d in zip(xs, dimensions, strict=True)
        ]
        lines.append(Line(name, points, points[-1].y))
    x_ticks = [Mark(x, BOTTOM, str(d)) for x, d in zip(xs, dimensions, strict=True)]
    return Curves(_apart(lines), x_ticks, scale.ticks())


def _spread(count: int) -> list[float]:
    if count == 1:
        return [(LEFT + RIGHT) / 2]
    return [round(LEFT + 12 + i * (RIGHT - LEFT - 24) / (count - 1), 1) for i in range(count)]


def _apart(lines: Sequence[Line]) -> list[Line]:
    """With their labels moved so that none lies on another."""
    before, after = lines
    gap = after.label_y - before.label_y
    if abs(gap) >= 2 * LABEL_HEIGHT:
        return list(lines)
    middle = (before.label_y + after.label_y) / 2
    middle = min(max(middle, TOP + LABEL_HEIGHT), BOTTOM - LABEL_HEIGHT)
    shift = LABEL_HEIGHT if gap > 0 else -LABEL_HEIGHT
    return [
        Line(before.name, before.points, round(middle - shift, 1)),
        Line(after.name, after.points, round(middle + shift, 1)),
    ]


def rows(runs: Sequence[tuple[str, float, float, bool]]) -> Rows:
    """Runs, as (label, before, after, went live), each in a row of one picture."""
    scale = _Scale([value for _, before, after, _ in runs for value in (before, after)])

    def mark(value: float, y: float) -> Mark:
        x = ROWS_LEFT + scale.share(value) * (ROWS_RIGHT - ROWS_LEFT)
        return Mark(round(x, 1), y, f"{value:.3f}")

    drawn = []
    for number, (label, before, after, kept) in enumerate(runs):
        y = ROW_HEIGHT / 2 + number * ROW_HEIGHT
        drawn.append(Row(y, label, mark(before, y), mark(after, y), kept))
    bottom = ROW_HEIGHT * len(drawn)
    ends = [Mark(mark(value, 0).x, bottom, f"{value:.2f}") for value in (scale.low, scale.high)]
    return Rows(drawn, ends)


def valley(curve: Mapping[float, float], chosen: float, prior: float) -> Valley | None:
    """Quality by lexical weight, 0 to 1; None where too little was measured to draw."""
    if len(curve) < 2:
        return None
    scale = _Scale(list(curve.values()))
    weights = sorted(curve)

    def mark(weight: float) -> Mark:
        return Mark(_weight_x(weight), scale.y(_between(curve, weights, weight)), f"{weight:.0%}")

    path = " ".join(f"{_weight_x(w)},{scale.y(curve[w])}" for w in weights)
    table = [(f"{w:.0%}", f"{curve[w]:.3f}") for w in weights]
    return Valley(path, mark(chosen), mark(prior), scale.ticks(), table)


def _weight_x(weight: float) -> float:
    return round(LEFT + weight * (RIGHT - LEFT), 1)


def _between(curve: Mapping[float, float], weights: Sequence[float], weight: float) -> float:
    """The curve's value at a weight, on the straight line between its neighbours."""
    low = max((w for w in weights if w <= weight), default=weights[0])
    high = min((w for w in weights if w >= weight), default=weights[-1])
    if high <= low:
        return curve[low]
    return curve[low] + (curve[high] - curve[low]) * (weight - low) / (high - low)


def shares(weights: Mapping[str, float]) -> list[Share]:
    """Lexical weights, 0 to 1, by the name of what they are for."""
    return [
        Share(name, 18 + number * 70, round(weight * WIDTH, 1), round(weight * 100))
        for number, (name, weight) in enumerate(weights.items())
    ]
