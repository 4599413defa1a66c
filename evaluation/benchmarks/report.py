"""What a benchmark says: rows of one number each, and the machine that it ran on."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from retrieval.processors import usable_processors


@dataclass(frozen=True, slots=True)
class Row:
    """One number. `ratio` is this row's value over that of the row named by `ratio_to`."""

    name: str
    value: float
    unit: str
    ratio_to: str | None = None
    ratio: float | None = None


def compared(rows: Sequence[Row], reference: str) -> list[Row]:
    """The rows with their ratio to the row of that name; unchanged where it was not measured."""
    base = next((row for row in rows if row.name == reference), None)
    if base is None:
        return list(rows)
    return [
        row
        if row is base or row.unit != base.unit
        else replace(row, ratio_to=base.name, ratio=row.value / base.value)
        for row in rows
    ]


def as_json(benchmark: str, rows: Sequence[Row]) -> dict[str, object]:
    return {"benchmark": benchmark, "machine": _machine(), "rows": [asdict(row) for row in rows]}


def _machine() -> dict[str, str | int]:
    return {
        "cpu": _cpu(),
        "cores": usable_processors(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def _cpu() -> str:
    """The processor's name: Linux does not give it to `platform`."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
