"""The reading order of a page: regions that hold one column of lines each.

Text in columns is often drawn row by row across the gutter, so the file's order does not tell. A gutter is a
strip that no segment crosses over some lines, with prose on both sides; what else stands side by side is a
table, a form or a list, and is read row by row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from statistics import median

from ingestion.parsing.pdf.lines import SPACELESS, Segment

GUTTER = 0.8  # ems at least
LEAST_LINES = 3  # on both sides
DEPTH = 6  # of columns in columns
LETTER = re.compile(r"[^\W\d_]")
MOST_EDGES = 12  # left edges that are tried as the start of a column


def regions(parts: Sequence[Segment], depth: int = DEPTH) -> Iterator[list[Segment]]:
    """Segments of each region in reading order."""
    cut = _best_cut(parts) if depth and len(parts) >= 2 * LEAST_LINES else None
    if cut is None:
        if parts:
            yield list(parts)
        return
    first, last, edge = cut
    ordered = sorted(parts, key=lambda s: s.v)
    inside = ordered[first:last]
    yield from regions(ordered[:first], depth - 1)
    yield from regions([s for s in inside if s.u0 < edge], depth - 1)
    yield from regions([s for s in inside if s.u0 >= edge], depth - 1)
    yield from regions(ordered[last:], depth - 1)


def _best_cut(parts: Sequence[Segment]) -> tuple[int, int, float] | None:
    """First and last number (by baseline) and the right column's left edge of the largest pair of columns."""
    ordered = sorted(parts, key=lambda s: s.v)
    best: tuple[int, int, float] | None = None
    most = 0
    for edge in _edges(ordered):
        for first, last in _runs(ordered, edge):
            run = ordered[first:last]
            left, right = [s for s in run if s.u0 < edge], [s for s in run if s.u0 >= edge]
            if len(left) < LEAST_LINES or len(right) < LEAST_LINES or len(run) <= most:
                continue
            if _gutter(left, right) and _prose(left) and _prose(right):
                # Lines above the first or below the last of a column go their own way.
                best, most = (first, last, edge), len(run)
    return best


def _edges(ordered: Sequence[Segment]) -> list[float]:
    """Left edges that several segments share and that others stand to the left of."""
    counts: dict[int, list[float]] = {}
    for part in ordered:
        counts.setdefault(round(part.u0 / 4), []).append(part.u0)
    shared = sorted((e for e in counts.values() if len(e) >= LEAST_LINES), key=len, reverse=True)
    leftmost = min(part.u0 for part in ordered)
    return [min(e) - 1 for e in shared[:MOST_EDGES] if min(e) > leftmost + 20]


def _runs(ordered: Sequence[Segment], edge: float) -> Iterator[tuple[int, int]]:
    """Stretches of segments that do not cross the edge."""
    first = 0
    for number, part in enumerate(ordered):
        if part.u0 < edge - 1 and part.u1 > edge + 1:
            if number > first:
                yield first, number
            first = number + 1
    if len(ordered) > first:
        yield first, len(ordered)


def _gutter(left: Sequence[Segment], right: Sequence[Segment]) -> bool:
    """Is the strip wide enough, and do the sides stand beside each other rather than one below the other?"""
    width = min(s.u0 for s in right) - max(s.u1 for s in left)
    shared = min(left[-1].v, right[-1].v) - max(left[0].v, right[0].v)
    size = median(s.size for s in [*left, *right])
    return width >= GUTTER * size and shared > 2 * size


def _prose(side: Sequence[Segment]) -> bool:
    """Does the side look like lines of running text rather than cells?"""
    widths = sorted(s.u1 - s.u0 for s in side)
    usual = widths[int(0.8 * (len(widths) - 1))] or 1.0
    fill = sum(min(w / usual, 1.0) for w in widths) / len(widths)
    texts = [s.text for s in side]
    size = sum(map(len, texts))
    letters = sum(len(LETTER.findall(text)) for text in texts)
    if letters < 0.55 * size:
        return False
    if sum(len(SPACELESS.findall(text)) for text in texts) > 0.3 * size:
        return size / len(texts) >= 8 and fill >= 0.65
    words = sum(len(s.words) for s in side) / len(side)
    goes_on = sum(text[:1].islower() for text in texts) / len(texts)
    return (words >= 5 and fill >= 0.6) or (words >= 2.5 and goes_on >= 0.3 and fill >= 0.55)
