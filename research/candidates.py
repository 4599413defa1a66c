"""The judged queries of a set with the candidates that the product reranks: found once, ordered by many."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import ir_measures
import numpy as np

from evaluation.beir import load_corpus, load_questions
from evaluation.evaluate import NDCG
from retrieval.encoder import load_encoder
from retrieval.ranking import RERANKED
from retrieval.ranking.combine import combine
from retrieval.ranking.fusion import DEFAULT_WEIGHTS
from retrieval.served import served_spec
from retrieval.types import FloatArray, FusedCandidate
from training.calibrate import calibrate
from training.reranker.held_out import shortened
from training.rotation import fitted_encoder
from training.searchable import searchable, temporary_index

ROOT = Path(__file__).resolve().parents[1]
ENCODER, MODEL = str(ROOT / "models" / "encoder"), ROOT / "models" / "reranker"
SETS = ("cranfield", "cisi", "medline", "liveqa_med", "covidqa_chunks", "xquad_en", "npl_vaswani")


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """For each query its candidates, best first, and their texts; both are by document."""

    name: str
    documents: int
    queries: dict[str, str]
    judgements: dict[str, dict[str, int]]
    candidates: dict[str, list[tuple[str, float]]]
    texts: dict[str, str]

    def ndcg(self, scores: dict[str, FloatArray] | None, weight: float, spread: float | None = None) -> float:
        """nDCG@10 with the scores, by query, at this weight; None: the first stage's order.

        `spread`: as `combine` takes it; of these scores where it is None.
        """
        if scores and spread is None:
            spread = float(np.mean([each.std() for each in scores.values()]))
        ranking = {}
        for query, found in self.candidates.items():
            hits = [FusedCandidate(id, score) for id, score in found]
            order = hits if scores is None else combine(hits, scores[query], weight, spread)
            ranking[query] = {hit.id: -float(rank) for rank, hit in enumerate(order)}
        return float(ir_measures.calc_aggregate([NDCG], self.judgements, ranking)[NDCG])


def judged_set(folder: Path, queries: int, work: Path) -> JudgedSet:
    """The first `queries` judged queries; kept in `work`."""
    kept = work / f"{folder.name}-{queries}.json"
    if kept.exists():
        values = json.loads(kept.read_text(encoding="utf-8"))
        values["candidates"] = {
            query: [(id, score) for id, score in found] for query, found in values["candidates"].items()
        }
        return JudgedSet(**values)
    print(f"first stage of {folder.name}", flush=True)
    made = _search(folder, queries)
    kept.parent.mkdir(parents=True, exist_ok=True)
    values = {name: getattr(made, name) for name in JudgedSet.__slots__}
    kept.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")
    return made


def _search(folder: Path, queries: int) -> JudgedSet:
    """Search as `manage.py evaluate` does without `--adapt`."""
    corpus, questions = load_corpus(folder), load_questions(folder, queries)
    documents = {str(uuid5(NAMESPACE_URL, id)): id for id in corpus.ids}
    passages = dict(zip(documents, corpus.passages, strict=True))
    texts = dict(zip(corpus.ids, corpus.passages, strict=True))
    candidates = {}
    with tempfile.TemporaryDirectory(prefix="quarry-candidates-") as scratch, temporary_index() as index:
        spec = served_spec(load_encoder(ENCODER))
        encoder = fitted_encoder(ENCODER, corpus.passages, Path(scratch), False, spec)
        weights, _ = calibrate(encoder.encode_passages, corpus.passages, corpus.passages, DEFAULT_WEIGHTS)
        searched = searchable(index, encoder, spec, passages, weights=weights)
        for id, query in questions.queries.items():
            found = searched.rank(query).candidates[:RERANKED]
            candidates[id] = [(documents[hit.id], hit.score) for hit in found]
    shown = {id for found in candidates.values() for id, _ in found}
    return JudgedSet(
        corpus.name,
        len(corpus.ids),
        questions.queries,
        questions.judgements,
        candidates,
        {id: shortened(texts[id].full) for id in sorted(shown)},
    )
