"""What research/smec_ablation.py writes: the ablation's table, and the picture of the gradient's variance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from evaluation.sections import table

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 760, 360, 76, 48, 64, 20
_STYLE = """  <style>
    text { font: 13px system-ui, sans-serif }
    .title { font-weight: 600; font-size: 15px }
    .grid { stroke: #808890; stroke-width: .5; opacity: .35 }
    .line { fill: none; stroke-width: 2.5 }
  </style>"""
# Mid-tones: legible on white and on black.
_GREY, _MRL, _SMRL = "#808890", "#d9822b", "#2a9d8f"
_TITLE = "Variance of the gradient in each epoch, mean of the sets"


@dataclass(frozen=True, slots=True)
class Row:
    """One variant from one start on one set.

    `reference`: nDCG@10 of the model's 512 floats. `shares`: of the reference, by dimension.
    `variances`: the gradient's in each epoch, by the dimension trained (0: all at once).
    """

    set: str
    reference: float
    start: str
    variant: str
    shares: dict[int, float]
    variances: dict[int, list[float]]


def section(rows: Sequence[Row]) -> str:
    """The sets' mean in per cent of their mean reference; below, two dimensions of the starts set by set."""
    references = {row.set: row.reference for row in rows}
    dimensions = list(rows[0].shares)
    means: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        alike = [each for each in rows if (each.start, each.variant) == (row.start, row.variant)]
        full = [each.reference for each in alike]
        means[row.start, row.variant] = [
            f"{100 * fmean((each.shares[cut] for each in alike), full):.1f}" for cut in dimensions
        ]
    sets = ", ".join(f"{name} {value:.3f}" for name, value in references.items())
    bare = [row for row in rows if row.variant == "no matrix"]
    by_set = [
        [name, *(f"{100 * row.shares[cut]:.1f}" for cut in (128, 64) for row in bare if row.set == name)]
        for name in references
    ]
    starts = list(dict.fromkeys(row.start for row in bare))
    return (
        "The mean nDCG@10 of the sets in per cent of that of the model's 512 floats. "
        f"What is 100 %: {sets}.\n\n"
        + table(["axes", "then", *map(str, dimensions)], [[*key, *mean] for key, mean in means.items()])
        + "\nSet by set, without a matrix trained on top:\n\n"
        + table(["set", *(f"{cut}: {start}" for cut in (128, 64) for start in starts)], by_set)
    )


def variance_picture(rows: Sequence[Row], start: str) -> str:
    """An SVG: each epoch's gradient variance of MRL and of SMRL from the same start, the mean of the sets."""
    mrl, smrl = _variances(rows, start)
    values = [*mrl, *(value for step in smrl.values() for value in step)]
    plot = _Plot(
        epochs=max(len(mrl), sum(map(len, smrl.values()))),
        low=math.floor(math.log10(min(values))),
        high=math.ceil(math.log10(max(values))),
    )
    lines = [plot.line(0, mrl, _MRL, "MRL, all at once")]
    epoch = 0
    for cut, step in smrl.items():
        lines.append(plot.line(epoch, step, _SMRL, f"to {cut}"))
        epoch += len(step)
    return "\n".join([plot.head(), *plot.axes(), *lines, "</svg>\n"])


def variance_section(rows: Sequence[Row], start: str) -> str:
    """The picture's figures, and how many times lower the first epoch of each step lies than MRL's."""
    mrl, smrl = _variances(rows, start)
    curves = {"MRL": mrl, **{f"SMRL, to {cut}": step for cut, step in smrl.items()}}
    epochs = range(max(map(len, curves.values())))
    lines = [
        [name, f"{mrl[0] / curve[0]:.2g}", *(f"{curve[e]:.1e}" if e < len(curve) else "" for e in epochs)]
        for name, curve in curves.items()
    ]
    return table(["trained", "MRL / this, epoch 1", *(f"epoch {e + 1}" for e in epochs)], lines)


def _variances(rows: Sequence[Row], start: str) -> tuple[list[float], dict[int, list[float]]]:
    """Return the variance by epoch: of MRL, and of each step of SMRL."""
    steps = [cut for row in rows if row.variant == "+ SMRL" for cut in row.variances]
    smrl = {cut: _by_epoch(rows, start, "+ SMRL", cut) for cut in dict.fromkeys(steps)}
    return _by_epoch(rows, start, "MRL", 0), smrl


def _by_epoch(rows: Sequence[Row], start: str, variant: str, cut: int) -> list[float]:
    """The mean over sets, as far as at least half of the sets went on."""
    runs = [row.variances[cut] for row in rows if (row.start, row.variant) == (start, variant)]
    longest = sorted(map(len, runs))[len(runs) // 2]
    return [fmean(run[epoch] for run in runs if len(run) > epoch) for epoch in range(longest)]


@dataclass(frozen=True, slots=True)
class _Plot:
    """Epochs from the left, variances upwards by powers of ten from `low` to `high`."""

    epochs: int
    low: int
    high: int

    def x(self, epoch: int) -> float:
        return _LEFT + epoch / max(1, self.epochs - 1) * (_WIDTH - _LEFT - _RIGHT)

    def y(self, exponent: float) -> float:
        share = (exponent - self.low) / max(1, self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _BOTTOM - _TOP)

    def head(self) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" fill="{_GREY}" '
            f'role="img" aria-label="{_TITLE}">\n{_STYLE}\n'
            f'  <text class="title" x="{_LEFT}" y="24">{_TITLE}</text>\n'
            f'  <text x="{_LEFT}" y="46"><tspan fill="{_MRL}">MRL: all dimensions at once</tspan>'
            f'<tspan dx="24" fill="{_SMRL}">SMRL: one dimension at a time</tspan></text>'
        )

    def axes(self) -> list[str]:
        middle = (_LEFT + _WIDTH - _RIGHT) / 2
        marks = [
            f'  <path class="grid" d="M{_LEFT} {self.y(e):.1f}H{_WIDTH - _RIGHT}"/>'
            f'<text x="{_LEFT - 8}" y="{self.y(e) + 4:.1f}" text-anchor="end">1e{e}</text>'
            for e in range(self.low, self.high + 1)
        ]
        ticks = [
            f'  <text x="{self.x(e):.1f}" y="{_HEIGHT - 26}" text-anchor="middle">{e + 1}</text>'
            for e in range(0, self.epochs, max(1, self.epochs // 12))
        ]
        return [*marks, *ticks, f'  <text x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">epoch</text>']

    def line(self, first: int, variances: Sequence[float], colour: str, name: str) -> str:
        places = [(self.x(first + i), self.y(math.log10(value))) for i, value in enumerate(variances)]
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
        x, y = places[0]
        return (
            f'  <polyline class="line" stroke="{colour}" points="{points}"/>{dots}'
            f'<text x="{x:.1f}" y="{y - 10:.1f}" fill="{colour}">{name}</text>'
        )
