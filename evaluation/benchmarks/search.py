"""Milliseconds a query over 20,000 passages, from its text to ranked ids: each leg, both, and two peers."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Sequence
from uuid import UUID

import numpy as np

from evaluation.benchmarks.report import Row, compared
from evaluation.benchmarks.texts import passages, queries
from retrieval.encoder import load_encoder
from retrieval.index.base import CollectionSpec, Precision
from retrieval.ranking import DEPTH, find
from retrieval.types import FloatArray, Passage
from training.searchable import Searchable, searchable, temporary_index

PASSAGES = 20_000
QUERIES = 200
REFERENCE = "dense, exact float16"


def run(model: str, dimensions: int) -> list[Row]:
    """`model`: the folder or name of an encoder, cut to `dimensions`."""
    encoder = load_encoder(model, dimensions)
    texts = passages(PASSAGES)
    by_id = {str(UUID(int=number)): Passage(text) for number, text in enumerate(texts)}
    with temporary_index() as index:
        searched = searchable(index, encoder, CollectionSpec(dimensions), by_id)
        return _rows(searched, texts, encoder.encode_passages(texts))


def _rows(searched: Searchable, texts: Sequence[str], vectors: FloatArray) -> list[Row]:
    scope = searched.scope

    def dense(precision: Precision) -> Callable[[str], list[str]]:
        def ask(query: str) -> list[str]:
            vector = scope.encoder.encode_queries([query])[0]
            found = scope.index.search_dense(scope.collection, vector, limit=DEPTH, precision=precision)
            return [hit.id for hit in found]

        return ask

    def brute_force(query: str) -> object:
        scores = vectors @ scope.encoder.encode_queries([query])[0]
        best = np.argpartition(-scores, DEPTH)[:DEPTH]
        return best[np.argsort(-scores[best])]

    def lexical(query: str) -> object:
        return scope.index.search_sparse(scope.collection, searched.query(query).terms, limit=DEPTH)

    searches: dict[str, Callable[[str], object]] = {
        "dense, one bit, rescored": dense("rescored"),
        REFERENCE: dense("exact"),
        "dense, NumPy float32 brute force": brute_force,
        "lexical, BM25": lexical,
        "lexical, SQLite FTS5": _fts5(texts),
        "both legs, fused": lambda query: find(searched.query(query), scope),
        "all stages before the reranker": searched.rank,
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
