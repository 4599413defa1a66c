"""The search quality and speed of the real pipeline on one evaluation set, run by run.

The chunker is off (one passage a document); encoder, index engine, lexical leg, fusion and reranker are those
of the product.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import ir_measures
import numpy as np
from ir_measures import R, nDCG

from evaluation.beir import Corpus, Questions
from retrieval.encoder import Encoder
from retrieval.first_stage import first_stage, served_spec
from retrieval.fusion import DEFAULT_WEIGHTS, FusionWeights
from retrieval.index.base import CollectionSpec, Index, Precision
from retrieval.index.edge import EdgeIndex
from retrieval.lexical import Lexical, average_length
from retrieval.reranker import Reranker, combine
from retrieval.sentences import by_best_sentence
from retrieval.stemming import held_languages
from retrieval.types import Candidate, FusedCandidate, Point

DEPTH = 100  # what recall is measured at
RERANKED = 20  # candidates that the reranker orders, as in the product
NDCG, RECALL = nDCG @ 10, R @ DEPTH  # linear gain, log2 discount: trec_eval's
TERM_BYTES = 8  # a uint32 id and a float32 weight

EncoderFor = Callable[[CollectionSpec], Encoder]
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
    encoder_for: EncoderFor,
    reranker: Reranker | None,
    dimensions: Sequence[int],
    weights: FusionWeights = DEFAULT_WEIGHTS,
) -> Iterator[Run]:
    """Index the corpus in a temporary folder and yield each run as it ends.

    `dense-*` once for each of `dimensions`: exact, by one bit of each, and as the product serves them; the
    others at the most dimensions. `encoder_for` gives the encoder of an index version so made.
    """
    with tempfile.TemporaryDirectory(prefix="quarry-evaluate-") as folder:
        index = EdgeIndex(Path(folder))
        try:
            bench = _Bench(index, corpus, questions, weights)
            most, *fewer = sorted(dimensions, reverse=True)
            served = yield from bench.dense_runs(encoder_for, most)
            for dims in fewer:
                yield from bench.dense_runs(encoder_for, dims)
            yield bench.run("lexical", 0, bench.lexical_bytes, partial(bench.lexical_search, served))
            size = served.spec.coded / 8 + bench.lexical_bytes
            hybrid = partial(bench.hybrid_search, served)
            yield bench.run("hybrid", most, size, hybrid)
            if reranker:
                search = partial(bench.reranked_search, reranker, hybrid)
                yield bench.run("reranked", most, size, search)
        finally:
            index.close()


@dataclass(frozen=True, slots=True)
class _Indexed:
    """A filled collection, how it was made, and what its queries are encoded by."""

    collection: str
    spec: CollectionSpec
    encoder: Encoder


class _Bench:
    """An indexed corpus and its questions."""

    def __init__(self, index: Index, corpus: Corpus, questions: Questions, weights: FusionWeights) -> None:
        ids = [str(uuid5(NAMESPACE_URL, id)) for id in corpus.ids]
        self._index = index
        self._questions = questions
        self._weights = weights
        languages = held_languages(corpus.passages)
        length = average_length(corpus.passages, languages=languages)
        self._lexical = Lexical(average_length=length, languages=languages)
        self._document_ids = dict(zip(ids, corpus.ids, strict=True))
        self._passages = dict(zip(ids, corpus.passages, strict=True))
        self._terms = self._lexical.passages(corpus.passages)
        self.lexical_bytes = TERM_BYTES * float(np.mean([len(terms.indices) for terms in self._terms]))

    def indexed(self, encoder: Encoder, spec: CollectionSpec) -> _Indexed:
        """A new collection of all passages."""
        collection = f"codes-{spec.coded}-of-{spec.dimensions}"
        vectors = encoder.encode_passages([passage.full for passage in self._passages.values()])
        rows = zip(self._document_ids, vectors, self._terms, strict=True)
        self._index.create(collection, spec)
        self._index.upsert(collection, [Point(*row, payload={}) for row in rows])
        return _Indexed(collection, spec, encoder)

    def dense_runs(self, encoder_for: EncoderFor, dims: int) -> Generator[Run, None, _Indexed]:
        """The three runs of one dimension. Returns what the product serves, for the others."""
        plain = CollectionSpec(dims)
        coded = self.indexed(encoder_for(plain), plain)
        yield self._dense_run("dense-float", coded, "exact", 4 * dims)
        yield self._dense_run("dense-binary", coded, "binary", dims / 8)
        spec = served_spec(coded.encoder)
        served = coded if spec == plain else self.indexed(encoder_for(spec), spec)
        yield self._dense_run("dense-binary-rescored", served, "rescored", spec.coded / 8)
        return served

    def _dense_run(self, name: str, indexed: _Indexed, precision: Precision, size: float) -> Run:
        return self.run(name, indexed.spec.dimensions, size, partial(self._dense_search, indexed, precision))

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

    def lexical_search(self, indexed: _Indexed, query: str) -> Sequence[Candidate]:
        return self._index.search_sparse(indexed.collection, self._lexical.query(query), limit=DEPTH)

    def hybrid_search(self, indexed: _Indexed, query: str) -> list[FusedCandidate]:
        models = indexed.encoder, self._lexical
        found = first_stage(
            self._index, indexed.collection, *models, query, limit=DEPTH, weights=self._weights
        )
        return by_best_sentence(query, found, self._passages, *models, self._weights)

    def reranked_search(
        self, reranker: Reranker, first: Callable[[str], list[FusedCandidate]], query: str
    ) -> list[FusedCandidate]:
        candidates = first(query)
        head = candidates[:RERANKED]
        card, passages = reranker.card, {hit.id: self._passages[hit.id] for hit in head}
        read = [id for id, passage in passages.items() if card.reads(passage.language)]
        known = dict(zip(read, reranker.score([(query, passages[id].full) for id in read]), strict=True))
        scores = [float(known.get(hit.id, np.nan)) for hit in head]
        return [*combine(head, scores, card.weight, card.spread), *candidates[RERANKED:]]

    def _dense_search(self, indexed: _Indexed, precision: Precision, query: str) -> Sequence[Candidate]:
        vector = indexed.encoder.encode_queries([query])[0]
        return self._index.search_dense(indexed.collection, vector, limit=DEPTH, precision=precision)
