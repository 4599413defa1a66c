"""The judged queries of a set in BEIR's layout with the candidates of a plain BM25, and nDCG: by numpy alone.

For machines that have a GPU and nothing else of Quarry's: the product's BM25 needs the index engine.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from retrieval.types import FloatArray

DEPTH = 50  # candidates of a query, beside the judged documents
K1, B = 1.2, 0.6
WORD = re.compile(r"\w+")


class Judged(NamedTuple):
    """A query, what is to be reranked for it, and how relevant that is."""

    query: str
    passages: list[str]
    gains: FloatArray  # (passages,); every relevant document of the query is among them


def load(folder: Path, limit: int) -> Iterator[Judged]:
    """The first `limit` queries that have a relevant document.

    Raises OSError, KeyError or ValueError where the folder is not in BEIR's layout.
    """
    texts = {
        row["_id"]: f"{row.get('title') or ''}\n{row['text']}".strip()
        for row in _rows(folder / "corpus.jsonl")
    }
    queries = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")}
    judgements: dict[str, dict[str, int]] = defaultdict(dict)
    with (folder / "qrels" / "test.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if int(row["score"]) > 0 and row["corpus-id"] in texts:
                judgements[row["query-id"]][row["corpus-id"]] = int(row["score"])
    bm25, ids = Bm25(list(texts.values())), list(texts)
    for query in [id for id in queries if judgements.get(id)][:limit]:
        found = [ids[place] for place in np.argsort(-bm25.scores(queries[query]), kind="stable")[:DEPTH]]
        candidates = list(dict.fromkeys([*found, *judgements[query]]))
        gains = np.array([judgements[query].get(id, 0) for id in candidates], dtype=np.float32)
        yield Judged(queries[query], [texts[id] for id in candidates], gains)


class Bm25:
    """Robertson and Zaragoza 2009, over lower-case words as they stand."""

    def __init__(self, texts: list[str]) -> None:
        counts = [Counter(WORD.findall(text.lower())) for text in texts]
        lengths = np.array([count.total() for count in counts], dtype=np.float32)
        self._norm = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean())))
        self._postings: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, count in enumerate(counts):
            for word, times in count.items():
                self._postings[word].append((place, times))

    def scores(self, query: str) -> FloatArray:
        """(texts,)"""
        scores = np.zeros(len(self._norm), dtype=np.float32)
        for word in WORD.findall(query.lower()):
            if found := self._postings.get(word):
                places, times = np.array(found).T
                idf = np.log(1 + (len(scores) - len(places) + 0.5) / (len(places) + 0.5))
                scores[places] += idf * times * (K1 + 1) / (times + self._norm[places])
        return scores


def ndcg(scores: FloatArray, gains: FloatArray, depth: int = 10) -> float:
    """nDCG with linear gain, as trec_eval's; what has no score (NaN) comes last, in the order given."""
    order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
    return _dcg(gains[order], depth) / _dcg(np.sort(gains)[::-1], depth)


def _dcg(gains: NDArray[np.float32], depth: int) -> float:
    top = gains[:depth]
    return float((top / np.log2(np.arange(2, len(top) + 2))).sum())


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        yield from (json.loads(line) for line in file if line.strip())
