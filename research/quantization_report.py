"""What `research/quantization.py` measured, as a section of docs/quality.md."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import get_args

from evaluation.sections import table
from retrieval.index.base import Quantization

SMALL_BYTES, KEPT, KEPT_BY_CODES = 32, 0.995, 0.95
SEARCHES = ("codes", "1x", "2x", "3x", "5x", "1x of 100", "3x of 100")
ONE_BIT = ("binary", "binary-query4", "binary-query8", "turbo-1")
# Kind, rotated, dimensions, search: the columns of the table by set.
BY_SET = (
    ("float", False, 512, "float"),
    ("float", True, 256, "float"),
    ("binary", False, 256, "codes"),
    ("binary", True, 256, "codes"),
    ("binary-query8", True, 256, "codes"),
    ("binary-query8", True, 256, "3x"),
    ("binary-query8", True, 256, "3x of 100"),
    ("binary-query8", True, 512, "codes"),
)

Layout = tuple[str, bool, int]  # kind, rotated, dimensions


@dataclass(frozen=True, slots=True)
class Row:
    """One way to search one set: `bytes` of RAM a chunk, nDCG@10, median milliseconds in the index."""

    dataset: str
    documents: int
    kind: str
    rotated: bool
    dimensions: int
    search: str
    bytes: int
    ndcg: float
    p50_ms: float

    @property
    def layout(self) -> Layout:
        return self.kind, self.rotated, self.dimensions


def section(rows: Sequence[Row], *, queries: int, adapted: bool) -> str:
    """Markdown: answers to the targets, the table of all kinds, a few of them by set."""
    shares = _Shares(rows)
    largest = max(rows, key=lambda row: row.documents)
    state = "after learning each corpus (`--adapt`)" if adapted else "the shipped model, without learning"
    return f"""## Quantization: {state}

nDCG@10 as a share of `dense-float` at {shares.full} dimensions, on the mean of {len(shares.sets)} sets (the
first {queries} judged queries of each): {", ".join(shares.sets)}.
Written by `python -m research.quantization`, in the product's embedded engine; do not edit. The vectors are
rotated by the corpus's own axes and ITQ before the cut, but for the rows "cut only". `bytes` are those of the
codes in RAM, for one chunk; the originals lie on disk as float16, and have as many dimensions, or all in rows
that say "of {shares.full}". `codes` is the
order of the codes alone; `2x` rescores twice the ten results that are judged; `3x of 100` is a search for 100
candidates, which is what the product asks of this leg. Milliseconds are the median in the index alone, on
{largest.dataset} ({largest.documents:,} documents, no graph).

`binary-1.5` and `binary-2` are no better than `binary` here: the engine tells large values from small ones by
their spread in a segment that is already full, and the embedded one encodes points as they come, when it
takes the sign twice. Codes of one bit fill words of 128 bits, so that 64 dimensions take 16 bytes; TurboQuant
adds 8 bytes to each vector.

{_small(shares)}

{_codes_alone(shares)}

{_by_kind(rows, shares, largest.dataset)}
### Some of them, by set

{_by_set(rows, shares.sets)}"""


class _Shares:
    """Means over the sets, as shares of the mean of floats of all dimensions."""

    def __init__(self, rows: Iterable[Row]) -> None:
        figures: dict[tuple[Layout, str], list[float]] = {}
        self.bytes: dict[Layout, int] = {}
        names: dict[str, None] = {}
        for row in rows:
            figures.setdefault((row.layout, row.search), []).append(row.ndcg)
            self.bytes[row.layout] = row.bytes
            names[row.dataset] = None
        self.sets = [*names]
        self.full = max(dims for _, _, dims in self.bytes)
        base = mean(figures[("float", False, self.full), "float"])
        self.of = {key: mean(values) / base for key, values in figures.items()}

    def answer(self, kinds: Sequence[str], search: str, target: float, most_bytes: float = math.inf) -> str:
        """The rotated codes that reach the target, the smallest first; where none does, the best."""
        able = sorted(
            (self.bytes[layout], -share, layout)
            for (layout, of_search), share in self.of.items()
            if of_search == search
            and layout[0].partition(" ")[0] in kinds
            and layout[1]
            and self.bytes[layout] <= most_bytes
        )
        words = [
            f"`{kind}` at {dims} dimensions ({size} bytes, {-share:.1%})"
            for size, share, (kind, _, dims) in able
            if -share >= target
        ]
        if words:
            return "; ".join(words)
        size, share, (kind, _, dims) = min(able, key=lambda found: found[1])
        return f"none; the best is `{kind}` at {dims} dimensions ({size} bytes), with {-share:.1%}"


def _small(shares: _Shares) -> str:
    title = f"**At least {KEPT:.1%} with at most {SMALL_BYTES} bytes of RAM a chunk:**"
    kinds = get_args(Quantization)
    answers = [
        f"- `{search}`: {shares.answer(kinds, search, KEPT, SMALL_BYTES)}."
        for search in ("3x", "5x", "1x of 100", "3x of 100")
    ]
    return "\n".join([title, "", *answers])


def _codes_alone(shares: _Shares) -> str:
    answer = shares.answer(ONE_BIT, "codes", KEPT_BY_CODES)
    return f"**At least {KEPT_BY_CODES:.0%} by one-bit codes alone:** {answer}."


def _by_kind(rows: Sequence[Row], shares: _Shares, timed: str) -> str:
    times = {(row.layout, row.search): row.p50_ms for row in rows if row.dataset == timed}
    lines = []
    for layout, size in sorted(shares.bytes.items(), key=lambda item: (-item[0][2], item[0][1])):
        kind, rotated, dims = layout
        if kind == "float":
            share, time = shares.of[layout, "float"], f"{times[layout, 'float']:.2f}"
            figures = [f"{share:.1%}", *[""] * (len(SEARCHES) - 1), time, ""]
        else:
            figures = [f"{shares.of[layout, search]:.1%}" for search in SEARCHES]
            figures += [f"{times[layout, search]:.2f}" for search in ("codes", "3x of 100")]
        lines.append([kind if rotated else f"{kind}, cut only", str(dims), f"{size:,}", *figures])
    return table(["kind", "dims", "bytes", *SEARCHES, "ms, codes", "ms, 3x of 100"], lines)


def _by_set(rows: Sequence[Row], sets: Sequence[str]) -> str:
    found = {(row.dataset, *row.layout, row.search): row.ndcg for row in rows}
    columns = [column for column in BY_SET if (sets[0], *column) in found]
    header = [
        f"{kind}{'' if rotated else ', cut only'} {dims}{'' if search == 'float' else f', {search}'}"
        for kind, rotated, dims, search in columns
    ]
    lines = [[name, *(f"{found[name, *column]:.3f}" for column in columns)] for name in sets]
    return table(["nDCG@10", *header], lines)
