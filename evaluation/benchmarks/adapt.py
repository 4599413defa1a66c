"""Learning a corpus: its time and memory. What it brings, `manage.py evaluate --adapt` says."""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path

from evaluation.benchmarks.report import Row
from evaluation.benchmarks.texts import passages
from retrieval.types import Passage
from training.adapt import AdaptReport, adapt

PASSAGES = 8_000  # enough for as many pairs as are ever learned from
MANY = 1_000_000


def run(model: str) -> list[Row]:
    """`model`: a static model, by folder or name. Raises `NotStaticError` for any other."""
    documents = [[Passage(text)] for text in passages(PASSAGES)]
    before = _peak()
    report = _learn(model, documents)
    memory = _peak() - before
    sampled = _learn(model, islice(cycle(documents), MANY))
    return [
        Row("pairs learned from", float(report.training_pairs), "pairs"),
        Row("learning, twice, with judging and calibrating", report.seconds, "s"),
        Row("memory for it, the model's own included, at most", memory, "MB"),
        Row(f"learning, sampled from {MANY:,} passages", sampled.seconds, "s"),
        Row("memory for that, at most", _peak() - before, "MB"),
    ]


def _learn(model: str, documents: Iterable[list[Passage]]) -> AdaptReport:
    with tempfile.TemporaryDirectory(prefix="quarry-benchmark-") as folder:
        return adapt(model, documents, Path(folder) / "learned")


def _peak() -> float:
    """The most memory that this process has held, in megabytes."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
