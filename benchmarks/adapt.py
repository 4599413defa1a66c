"""Learning a corpus: how long it takes. What it brings, `manage.py evaluate --adapt` says."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.report import Row
from benchmarks.texts import passages
from retrieval.types import Passage
from training.adapt import adapt

PASSAGES = 4_000


def run(model: str) -> list[Row]:
    """`model`: the folder of a static model. Raises `ValueError` for any other."""
    documents = [[Passage(text)] for text in passages(PASSAGES)]
    with tempfile.TemporaryDirectory(prefix="quarry-benchmark-") as folder:
        report = adapt(Path(model), documents, Path(folder) / "learned")
    return [
        Row("pairs learned from", float(report.training_pairs), "pairs"),
        Row("learning, all epochs", report.seconds, "s"),
        Row("pairs, all epochs", report.training_pairs / report.seconds, "pairs/s"),
    ]
