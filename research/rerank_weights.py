"""How much the shipped reranker's scores should count: nDCG@10 by weight, a section of docs/quality.md.

python -m research.rerank_weights FOLDER [--queries N]
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evaluation.quality import TARGET
from evaluation.sections import table, write_section
from research.candidates import MODEL, SETS, JudgedSet, judged_set
from retrieval.ranking import RERANKED
from retrieval.reranker import Reranker, load_reranker

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="FOLDER")
    parser.add_argument("--queries", type=int, default=60, help="of each set")
    options = parser.parse_args()
    reranker = load_reranker(MODEL)
    with tempfile.TemporaryDirectory(prefix="quarry-weights-") as work:
        judged = [judged_set(options.data / name, options.queries, Path(work)) for name in SETS]
    curves = {each.name: _by_weight(reranker, each) for each in judged}
    write_section(TARGET, "rerank-weights", _section(curves, options.queries, reranker.card.weight))


def _by_weight(reranker: Reranker, judged: JudgedSet) -> list[float]:
    print(judged.name, flush=True)
    scores = {
        id: reranker.score([(query, judged.texts[document]) for document, _ in judged.candidates[id]])
        for id, query in judged.queries.items()
    }
    return [judged.ndcg(scores, weight) for weight in WEIGHTS]


def _section(curves: dict[str, list[float]], queries: int, served: float) -> str:
    rows: Sequence[tuple[str, list[float]]] = [*curves.items()]
    rows = [*rows, ("**mean**", np.mean([curve for _, curve in rows], axis=0).tolist())]
    lines = [[name, *(f"{value:.3f}" for value in curve)] for name, curve in rows]
    return f"""## How much the reranker counts

nDCG@10 by the weight of the cross-encoder's scores against the first stage's, which orders {RERANKED}
candidates: without learning; the first {queries} judged queries of each set, passages cut at 180 words.
Served: {served:g}. `python -m research.rerank_weights FOLDER` writes this section.

{table(["set", *(f"{weight:g}" for weight in WEIGHTS)], lines)}"""


if __name__ == "__main__":
    main()
