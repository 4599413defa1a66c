"""What `research/compression.py` measured, as docs/research/compression.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from evaluation.sections import table
from training.reranker.teach import Taught

EQUAL = 0.002  # of nDCG@10, on the mean of the sets
CLEARLY = 0.9  # of the shipped model's time
SHIPPED = "int8"


@dataclass(frozen=True, slots=True)
class Row:
    """A variant. `ms`: None where a CPU's time says nothing; no nDCG for what nobody trained.

    `alone` and `fused`: nDCG@10 by set, by the scores alone and at the card's weight beside the first stage.
    """

    key: str
    label: str
    kind: str
    precision: str
    megabytes: float
    ms: float | None
    alone: dict[str, float]
    fused: dict[str, float]


def tables(
    rows: Sequence[Row], hybrid: dict[str, float], *, queries: int, weight: float, threads: int
) -> str:
    """Markdown: all variants, then their figures by set. `hybrid`: nDCG@10 of the first stage by set."""
    sets = list(hybrid)
    lines = [
        [row.label, row.kind, row.precision, f"{row.megabytes:.1f}", _figure(row.ms, 0)]
        + [_figure(mean(found.values()) if found else None) for found in (row.alone, row.fused)]
        for row in rows
    ]
    judged = [row for row in rows if row.alone]
    by_set = "\n".join(
        f"### {title}\n\n{_by_set(judged, sets, attribute)}"
        for title, attribute in (("By set, alone", "alone"), (f"By set, at weight {weight:g}", "fused"))
    )
    return f"""nDCG@10 is the mean of {len(sets)} sets, the first {queries} judged queries of each; the first
stage's order has {mean(hybrid.values()):.3f}. Milliseconds are for 32 pairs of 128 tokens, {threads} threads.

{table(["variant", "", "numbers", "MB", "ms", "nDCG@10, alone", f"nDCG@10, weight {weight:g}"], lines)}
{verdict(rows)}

{by_set}"""


def distillations(taught: Mapping[str, Taught]) -> str:
    """Figures by the variant's label."""
    lines = [
        [
            label,
            f"{each.steps}",
            f"{each.queries:,}",
            *(f"{value:.3f}" for value in (*each.divergence, *each.reciprocal_rank)),
        ]
        for label, each in taught.items()
    ]
    return table(["distilled", "steps", "queries", "divergence", "after", "MRR", "after"], lines)


def verdict(rows: Sequence[Row]) -> str:
    """Which variants are as good as the shipped one and clearly faster, by their means."""
    shipped = next(row for row in rows if row.key == SHIPPED)
    assert shipped.ms is not None
    winners = [
        row
        for row in rows
        if row.alone
        and row.ms is not None
        and row.ms <= CLEARLY * shipped.ms
        and _loss(row, shipped, "alone") <= EQUAL
        and _loss(row, shipped, "fused") <= EQUAL
    ]
    rule = (
        f"at most {EQUAL} less nDCG@10 than {shipped.label}, alone and fused, "
        f"in at most {CLEARLY:.0%} of its time"
    )
    if not winners:
        return f"**No variant has {rule}.**"
    named = "; ".join(f"{row.label} ({row.precision}, {row.ms:.0f} ms)" for row in winners)
    return f"**These have {rule}:** {named}."


def _loss(row: Row, shipped: Row, attribute: str) -> float:
    return float(mean(getattr(shipped, attribute).values()) - mean(getattr(row, attribute).values()))


def _by_set(rows: Sequence[Row], sets: Sequence[str], attribute: str) -> str:
    lines = [
        [row.label, row.precision, *(_figure(getattr(row, attribute)[name]) for name in sets)] for row in rows
    ]
    return table(["variant", "numbers", *sets], lines)


def _figure(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:.{digits}f}"
