"""Writes the first sections of docs/quality.md: `manage.py evaluate` on every BEIR-layout set of a folder.

python -m evaluation.quality FOLDER [--queries N] [--state shipped|adapted]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from evaluation.sections import table, write_section

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "quality.md"
RUNS = ("dense-float", "dense-binary", "dense-binary-rescored", "lexical", "hybrid", "reranked")
BY_DIMENSION = {"dense-float": "float", "dense-binary": "one bit", "dense-binary-rescored": "served"}
DIMENSIONS = (512, 256, 128, 64)
TITLES = {"shipped": "As shipped", "adapted": "After learning each corpus (`--adapt`)"}

Result = dict[str, Any]  # what `evaluate --json` writes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="FOLDER")
    parser.add_argument("--queries", type=int, metavar="N", help="of each set; all by default")
    parser.add_argument("--state", choices=TITLES, help="one section only; two can be made side by side")
    options = parser.parse_args()
    sets = sorted(path.parents[1] for path in options.data.glob("*/qrels/test.tsv"))
    for state in [options.state] if options.state else TITLES:
        results = [_evaluate(folder, state, options.queries) for folder in sets]
        markdown = f"## {TITLES[state]}\n\n{_by_run(results)}\n### By dimension\n\n{_by_dimension(results)}"
        write_section(TARGET, state, markdown)


def _evaluate(folder: Path, state: str, queries: int | None) -> Result:
    print(folder.name, state, flush=True)
    with tempfile.TemporaryDirectory(prefix="quarry-quality-") as scratch:
        answer = Path(scratch) / "answer.json"
        command = [sys.executable, "manage.py", "evaluate", str(folder), "--json", str(answer)]
        command += ["--dims", ",".join(map(str, DIMENSIONS))]
        command += ["--adapt"] if state == "adapted" else []
        command += ["--queries", str(queries)] if queries else []
        environment = os.environ | {"QUARRY_DATA": scratch}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        result: Result = json.loads(answer.read_text())
    return result


def _by_run(results: Sequence[Result]) -> str:
    header = ["set", "documents", "queries", *RUNS, "hybrid R@100"]
    columns = [(name, 0, "ndcg@10") for name in RUNS] + [("hybrid", 0, "recall@100")]
    labels = [[r["dataset"], f"{r['documents']:,}", f"{r['queries']:,}"] for r in results]
    return _table(header, labels, results, columns)


def _by_dimension(results: Sequence[Result]) -> str:
    columns = [(name, dims, "ndcg@10") for name in BY_DIMENSION for dims in DIMENSIONS]
    header = ["set", *(f"{BY_DIMENSION[name]} {dims}" for name, dims, _ in columns)]
    return _table(header, [[r["dataset"]] for r in results], results, columns)


def _table(
    header: list[str],
    labels: Sequence[list[str]],
    results: Sequence[Result],
    columns: Sequence[tuple[str, int, str]],
) -> str:
    """A line a set, and their mean; no figure for a run that was not made."""
    figures = [[_figure(result, *column) for column in columns] for result in results]
    lines = [[*label, *map(_written, line)] for label, line in zip(labels, figures, strict=True)]
    means = [mean(column) if None not in column else None for column in zip(*figures, strict=True)]
    lines.append(["**mean**", *[""] * (len(labels[0]) - 1), *map(_written, means)])
    return table(header, lines)


def _figure(result: Result, name: str, dimensions: int, measure: str) -> float | None:
    """Return the figure of a run at these dimensions (0: at the most)."""
    runs = [run for run in result["runs"] if run["name"] == name]
    found = [run for run in runs if run["dimensions"] == dimensions] if dimensions else runs[:1]
    return float(found[0][measure]) if found else None


def _written(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}"


if __name__ == "__main__":
    main()
