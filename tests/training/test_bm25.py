from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from retrieval.frequencies import count, idf
from retrieval.index.base import CollectionSpec
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical, average_length, query_terms
from retrieval.types import Passage, Point, SparseVector
from training.bm25 import Bm25

PASSAGES = [
    Passage("Leave is 25 days a year.", title="Annual leave"),
    Passage("The pump needs oil, and the valve needs a gasket."),
    Passage("Order gaskets and pumps from the depot. Pumps are heavy."),
    Passage("연차 휴가는 15일이다.", heading="휴가"),
]
QUERIES = ["pump gasket", "annual leave days", "연차 휴가", "nothing of this", ""]


def test_scores_should_equal_those_of_the_index(tmp_path: Path) -> None:
    index, lexical = EdgeIndex(tmp_path), Lexical(average_length=average_length(PASSAGES))
    index.create("docs", CollectionSpec(4))
    ids = [f"00000000-0000-0000-0000-00000000000{i}" for i in range(len(PASSAGES))]
    vector = np.full(4, 0.5, np.float32)
    vectors = lexical.passages(PASSAGES)
    counted = count(vectors, [passage.language for passage in PASSAGES])
    rows = zip(ids, vectors, strict=True)
    index.upsert("docs", [Point(id, vector, sparse, {}) for id, sparse in rows])
    try:
        scores = Bm25(PASSAGES).scores(QUERIES)
        for query, row in zip(QUERIES, scores, strict=True):
            ids_of_terms = query_terms(query, ["en"]).ids
            terms = SparseVector(ids_of_terms, idf(ids_of_terms, [counted]))
            hits = index.search_sparse("docs", terms, limit=10)
            found = {id: float(score) for id, score in zip(ids, row, strict=True) if score}
            assert {hit.id: hit.score for hit in hits} == pytest.approx(found, rel=1e-4)
    finally:
        index.close()
