"""Writes docs/quality.md: `manage.py evaluate` on every BEIR-layout set of a folder.

make bench DATA=FOLDER        (by default ../shared/data/eval)
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
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "quality.md"
RUNS = ("dense-float", "dense-binary", "dense-binary-rescored", "lexical", "hybrid", "reranked")
HEAD = """# Quality

nDCG@10 (linear gain, as trec_eval's) by `manage.py evaluate SET`, which runs the product's own pipeline: one
passage a document, the real index, 512 dimensions unless the column says otherwise. Written by
`make bench`; do not edit. The sets are not part of the repository. `reranked` is empty where reranking was
off (`QUARRY_RERANK_BACKEND=off`), since on a CPU it takes half a second a query.
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    sets = sorted(path.parent.parent for path in parser.parse_args().data.glob("*/qrels/test.tsv"))
    parts = [HEAD]
    for adapted in (False, True):
        results = [_evaluate(folder, adapted) for folder in sets]
        title = "After learning the corpus (`--adapt`)" if adapted else "As shipped"
        parts.append(f"\n## {title}\n\n{_table(results)}")
        if not adapted:
            parts.append(
                f"\n### By dimension, `dense-float` and `dense-binary-rescored`\n\n{_by_dimension(results)}"
            )
    TARGET.write_text("".join(parts), encoding="utf-8")
    print(f"Wrote {TARGET.relative_to(ROOT)}")


def _evaluate(folder: Path, adapted: bool) -> dict[str, Any]:
    print(folder.name, "adapted" if adapted else "as shipped", flush=True)
    with tempfile.TemporaryDirectory(prefix="quarry-quality-") as scratch:
        answer = Path(scratch) / "answer.json"
        command = [sys.executable, "manage.py", "evaluate", str(folder), "--json", str(answer)]
        dimensions = ["--adapt", "--dims", "512"] if adapted else ["--dims", "512,256,128,64"]
        environment = os.environ | {"QUARRY_DATA": scratch}
        subprocess.run(
            [*command, *dimensions], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
        )
        result: dict[str, Any] = json.loads(answer.read_text())
    return result


def _find(result: dict[str, Any], name: str, dimensions: int = 512) -> dict[str, Any] | None:
    runs = (run for run in result["runs"] if run["name"] == name)
    return next((run for run in runs if run.get("dimensions") in (None, 0, dimensions)), None)


def _table(results: Sequence[dict[str, Any]]) -> str:
    lines = [_row(["set", "documents", "queries", *RUNS, "hybrid R@100"])]
    lines.append(_row(["---"] * (len(RUNS) + 4)))
    for result in results:
        hybrid = _find(result, "hybrid")
        figures = [_ndcg(_find(result, name)) for name in RUNS]
        tail = [f"{hybrid['recall@100']:.3f}"] if hybrid else [""]
        lines.append(
            _row([result["dataset"], f"{result['documents']:,}", f"{result['queries']:,}", *figures, *tail])
        )
    return "\n".join(lines) + "\n"


def _by_dimension(results: Sequence[dict[str, Any]]) -> str:
    columns = [(name, d) for name in ("dense-float", "dense-binary-rescored") for d in (512, 256, 128, 64)]
    lines = [_row(["set", *(f"{'float' if n == 'dense-float' else 'one bit'} {d}" for n, d in columns)])]
    lines.append(_row(["---"] * (len(columns) + 1)))
    for result in results:
        lines.append(_row([result["dataset"], *(_ndcg(_find(result, name, d)) for name, d in columns)]))
    return "\n".join(lines) + "\n"


def _ndcg(run: dict[str, Any] | None) -> str:
    return f"{run['ndcg@10']:.3f}" if run else ""


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
