"""The search quality and speed of the real pipeline on one evaluation set, run by run.

The chunker is off (one passage a document); encoder, index engine, lexical leg, fusion and reranker are those
of the product.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import ir_measures
import numpy as np
from ir_measures import R, nDCG

from retrieval.encoder import Encoder
from retrieval.first_stage import first_stage
from retrieval.fusion import DEFAULT_WEIGHTS, FusionWeights
from retrieval.index.base import CollectionSpec, Index, Precision
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical, average_length
from retrieval.reranker import Reranker, combine
from retrieval.types import Candidate, FusedCandidate, Point
from training.beir import Corpus, Questions

DEPTH = 100  # what recall is measured at
RERANKED = 20  # candidates that the reranker orders, as in the product
NDCG, RECALL = nDCG @ 10, R @ DEPTH  # linear gain, log2 discount: trec_eval's
TERM_BYTES = 8  # a uint32 id and a float32 weight

DENSE: dict[str, Precision] = {
    "dense-float": "exact",
    "dense-binary": "binary",
    "dense-binary-rescored": "rescored",
}

Search = Callable[[str], Sequence[Candidate | FusedCandidate]]


@dataclass(frozen=True, slots=True)
class Run:
    """One way to answer all queries. `dimensions` is 0 for the lexical leg.

    `bytes_per_vector`: what a passage takes in RAM for this run, float32 where nothing is quantized. The
    float16 originals that rescoring reads lie on disk. Times are of one query from text to ranked ids.
    """

    name: str
    dimensions: int
    ndcg: float
    recall: float
    p50_ms: float
    p95_ms: float
    bytes_per_vector: float


def evaluate(
    corpus: Corpus,
    questions: Questions,
    encoder_of: Callable[[int], Encoder],
    reranker: Reranker | None,
    dimensions: Sequence[int],
    weights: FusionWeights = DEFAULT_WEIGHTS,
) -> Iterator[Run]:
    """Index the corpus in a temporary folder and yield each run as it ends.

    `dense-*` once for each of `dimensions`, by the encoder that `encoder_of` gives for it; the others at the
    most dimensions.
    """
    with tempfile.TemporaryDirectory(prefix="quarry-evaluate-") as folder:
        index = EdgeIndex(Path(folder))
        try:
            bench = _Bench(index, corpus, questions, weights)
            encoder = encoder_of(max(dimensions))
            collection = bench.indexed(encoder)
            yield from bench.dense_runs(encoder, collection)
            for dims in sorted(dimensions, reverse=True)[1:]:
                smaller = encoder_of(dims)
                yield from bench.dense_runs(smaller, bench.indexed(smaller))
            yield bench.run("lexical", 0, bench.lexical_bytes, partial(bench.lexical_search, collection))
            size = encoder.dimensions / 8 + bench.lexical_bytes
            hybrid = partial(bench.hybrid_search, encoder, collection)
            yield bench.run("hybrid", encoder.dimensions, size, hybrid)
            if reranker:
                search = partial(bench.reranked_search, reranker, hybrid)
                yield bench.run("reranked", encoder.dimensions, size, search)
        finally:
            index.close()


class _Bench:
    """An indexed corpus and its questions."""

    def __init__(self, index: Index, corpus: Corpus, questions: Questions, weights: FusionWeights) -> None:
        ids = [str(uuid5(NAMESPACE_URL, id)) for id in corpus.ids]
        self._index = index
        self._questions = questions
        self._weights = weights
        self._lexical = Lexical(average_length=average_length(corpus.passages))
        self._document_ids = dict(zip(ids, corpus.ids, strict=True))
        self._passages = dict(zip(ids, corpus.passages, strict=True))
        self._terms = self._lexical.passages(corpus.passages)
        self.lexical_bytes = TERM_BYTES * float(np.mean([len(terms.indices) for terms in self._terms]))

    def indexed(self, encoder: Encoder) -> str:
        """The name of a new collection of all passages, by this encoder."""
        collection = f"dims-{encoder.dimensions}"
        vectors = encoder.encode_passages([passage.full for passage in self._passages.values()])
        rows = zip(self._document_ids, vectors, self._terms, strict=True)
        self._index.create(collection, CollectionSpec(encoder.dimensions))
        self._index.upsert(collection, [Point(*row, payload={}) for row in rows])
        return collection

    def dense_runs(self, encoder: Encoder, collection: str) -> Iterator[Run]:
        """One run for each precision."""
        dims = encoder.dimensions
        for name, precision in DENSE.items():
            size = dims * 4 if precision == "exact" else dims / 8
            yield self.run(name, dims, size, partial(self._dense_search, encoder, collection, precision))

    def run(self, name: str, dims: int, size: float, search: Search) -> Run:
        """Ask every query once. The ranks are what is judged, so equal scores cannot be reordered."""
        ranking: dict[str, dict[str, float]] = {}
        milliseconds = []
        for id, query in self._questions.queries.items():
            started = time.perf_counter()
            found = search(query)
            milliseconds.append((time.perf_counter() - started) * 1000)
            ranking[id] = {self._document_ids[hit.id]: -float(rank) for rank, hit in enumerate(found)}
        measured = ir_measures.calc_aggregate([NDCG, RECALL], self._questions.judgements, ranking)
        p50, p95 = np.percentile(milliseconds, [50, 95])
        return Run(name, dims, measured[NDCG], measured[RECALL], float(p50), float(p95), size)

    def lexical_search(self, collection: str, query: str) -> Sequence[Candidate]:
        return self._index.search_sparse(collection, self._lexical.query(query), limit=DEPTH)

    def hybrid_search(self, encoder: Encoder, collection: str, query: str) -> list[FusedCandidate]:
        return first_stage(
            self._index, collection, encoder, self._lexical, query, limit=DEPTH, weights=self._weights
        )

    def reranked_search(
        self, reranker: Reranker, first: Callable[[str], list[FusedCandidate]], query: str
    ) -> list[FusedCandidate]:
        candidates = first(query)
        head = candidates[:RERANKED]
        scores = reranker.score([(query, self._passages[candidate.id].full) for candidate in head])
        return [*combine(head, scores, reranker.weight), *candidates[RERANKED:]]

    def _dense_search(
        self, encoder: Encoder, collection: str, precision: Precision, query: str
    ) -> Sequence[Candidate]:
        vector = encoder.encode_queries([query])[0]
        return self._index.search_dense(collection, vector, limit=DEPTH, precision=precision)
