"""Milliseconds a query over 20,000 passages, from its text to ranked ids: each leg, both, and two peers."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID

import numpy as np

from evaluation.benchmarks.report import Row, compared
from evaluation.benchmarks.texts import passages, queries
from retrieval.encoder import Encoder, load_encoder
from retrieval.first_stage import DEPTH, first_stage
from retrieval.index.base import CollectionSpec, Index, Precision
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical, average_length
from retrieval.sentences import by_best_sentence
from retrieval.types import FloatArray, FusedCandidate, Passage, Point

PASSAGES = 20_000
QUERIES = 200
COLLECTION = "benchmark"
REFERENCE = "dense, exact float16"


def run(model: str, dimensions: int) -> list[Row]:
    """`model`: the folder or name of an encoder, cut to `dimensions`."""
    encoder = load_encoder(model, dimensions)
    texts = passages(PASSAGES)
    vectors = encoder.encode_passages(texts)
    with tempfile.TemporaryDirectory(prefix="quarry-benchmark-") as folder:
        index = EdgeIndex(Path(folder))
        try:
            lexical = _fill(index, texts, vectors)
            return _rows(index, encoder, lexical, texts, vectors)
        finally:
            index.close()


def _fill(index: Index, texts: Sequence[str], vectors: FloatArray) -> Lexical:
    indexed = [Passage(text) for text in texts]
    lexical = Lexical(average_length=average_length(indexed[:1000]))
    ids = (str(UUID(int=number)) for number in range(len(texts)))
    rows = zip(ids, vectors, lexical.passages(indexed), strict=True)
    index.create(COLLECTION, CollectionSpec(vectors.shape[1]))
    index.upsert(COLLECTION, [Point(*row, payload={}) for row in rows])
    return lexical


def _rows(
    index: Index, encoder: Encoder, lexical: Lexical, texts: Sequence[str], vectors: FloatArray
) -> list[Row]:
    def dense(precision: Precision) -> Callable[[str], list[str]]:
        def ask(query: str) -> list[str]:
            vector = encoder.encode_queries([query])[0]
            found = index.search_dense(COLLECTION, vector, limit=DEPTH, precision=precision)
            return [hit.id for hit in found]

        return ask

    def brute_force(query: str) -> object:
        scores = vectors @ encoder.encode_queries([query])[0]
        best = np.argpartition(-scores, DEPTH)[:DEPTH]
        return best[np.argsort(-scores[best])]

    read = {str(UUID(int=number)): Passage(text) for number, text in enumerate(texts)}

    def fused(query: str) -> list[FusedCandidate]:
        return first_stage(index, COLLECTION, encoder, lexical, query)

    searches: dict[str, Callable[[str], object]] = {
        "dense, one bit, rescored": dense("rescored"),
        REFERENCE: dense("exact"),
        "dense, NumPy float32 brute force": brute_force,
        "lexical, BM25": lambda query: index.search_sparse(COLLECTION, lexical.query(query), limit=DEPTH),
        "lexical, SQLite FTS5": _fts5(texts),
        "first stage: both legs, fused": fused,
        "first stage, and the best sentences": lambda query: by_best_sentence(
            query, fused(query), read, encoder, lexical
        ),
    }
    rows = [Row(name, _p50(search), "ms, p50") for name, search in searches.items()]
    recall = _recall(dense("rescored"), dense("exact"))
    return [
        *compared(rows, REFERENCE),
        Row("dense, one bit, rescored: recall@10 against exact", recall, "share"),
    ]


def _fts5(texts: Sequence[str]) -> Callable[[str], object]:
    database = sqlite3.connect(":memory:")
    database.execute("CREATE VIRTUAL TABLE passages USING fts5(text, tokenize='porter')")
    database.executemany("INSERT INTO passages VALUES (?)", [(text,) for text in texts])
    ask = "SELECT rowid FROM passages WHERE passages MATCH ? ORDER BY rank LIMIT ?"

    def search(query: str) -> object:
        words = " OR ".join('"' + word.replace('"', '""') + '"' for word in query.split())
        return database.execute(ask, (words, DEPTH)).fetchall()

    return search


def _p50(search: Callable[[str], object]) -> float:
    search("warm up")
    milliseconds = []
    for query in queries(QUERIES):
        started = time.perf_counter()
        search(query)
        milliseconds.append((time.perf_counter() - started) * 1000)
    return float(np.median(milliseconds))


def _recall(search: Callable[[str], list[str]], exact: Callable[[str], list[str]]) -> float:
    shares = [len(set(search(query)[:10]) & set(exact(query)[:10])) / 10 for query in queries(QUERIES)]
    return float(np.mean(shares))
