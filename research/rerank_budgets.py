"""What is left of the reranker's gain when there is less time than all candidates need: a section of
docs/quality.md. Time is counted in tokens, so that the figures are the same on every machine.

python -m research.rerank_budgets FOLDER [--queries N]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from evaluation.quality import TARGET
from evaluation.sections import table, write_section
from research.candidates import MODEL, JudgedSet, judged_set
from retrieval.reranker import Reranker, load_reranker
from retrieval.reranker.plan import plan
from retrieval.reranker.requests import Request
from retrieval.types import FloatArray

SETS = ("medline", "liveqa_med", "cisi", "cranfield")  # on which reranking gains something
SHARES = (0.1, 0.2, 0.35, 0.5, 0.75)  # of the tokens that all candidates have


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="FOLDER")
    parser.add_argument("--queries", type=int, default=60, help="of each set")
    options = parser.parse_args()
    reranker = load_reranker(MODEL)
    with tempfile.TemporaryDirectory(prefix="quarry-budgets-") as work:
        judged = [judged_set(options.data / name, options.queries, Path(work)) for name in SETS]
    curves = {each.name: _by_share(reranker, each) for each in judged}
    write_section(TARGET, "rerank-budgets", _section(curves, options.queries))


def _by_share(reranker: Reranker, judged: JudgedSet) -> list[float]:
    """nDCG@10 before reranking, by the share of the time, and with enough of it."""
    print(judged.name, flush=True)
    gains = [judged.ndcg(None, 0.0)]
    for share in (*SHARES, None):
        scores = {}
        for id, query in judged.queries.items():
            texts = [judged.texts[document] for document, _ in judged.candidates[id]]
            scores[id] = score_within(reranker, query, texts, share)
        gains.append(judged.ndcg(scores, reranker.card.weight, reranker.card.spread))
    return gains


def score_within(reranker: Reranker, query: str, texts: list[str], share: float | None) -> FloatArray:
    """(texts,) as the model thread scores them for a lone search whose deadline allows this share of all
    tokens; None: no deadline."""
    windows = reranker.tokenize([(query, text) for text in texts])
    budget = None if share is None else share * sum(len(window.ids) for window in windows)
    request, spent = Request(len(texts), windows, budget), 0
    while request.left:
        run, _ = plan([request.waiting(spent)], 1.0, reranker.backend.token_budget)
        if not run:
            break
        for _, candidates, tokens in run:
            part = request.take(candidates, tokens)
            spent += sum(len(window.ids) for window in part.windows)
            if budget is None or spent <= budget:
                request.receive(part, reranker.forward(part.windows))
    return request.scores.values


def _section(curves: dict[str, list[float]], queries: int) -> str:
    rows = [*curves.items(), ("**mean**", np.mean(list(curves.values()), axis=0).tolist())]
    lines = [
        [
            name,
            f"{first:.3f}",
            *(f"{value:.3f} ({(value - first) / (best - first):.0%})" for value in less),
            f"{best:.3f}",
        ]
        for name, (first, *less, best) in rows
    ]
    return f"""## Reranking with less time

nDCG@10, and the share of the gain, by the share of the time that all candidates need, of which the plan
(`retrieval/reranker/plan.py`) makes the best it can. Time is counted in tokens; without learning; the first
{queries} judged queries of each set, passages cut at 180 words. Single sets waver by a third of the gain from
one column to the next, as few queries are judged. covidqa_chunks is left out: on its first 60 queries
reranking gains nothing. `python -m research.rerank_budgets FOLDER` writes this section.

{table(["set", "not reranked", *(f"{share:.0%}" for share in SHARES), "all"], lines)}"""


if __name__ == "__main__":
    main()
