"""The search quality and speed of the real pipeline on one evaluation set, run by run.

The chunker is off (one passage a document); encoder, index engine, lexical leg, fusion and reranker are those
of the product.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import NAMESPACE_URL, uuid5

import ir_measures
import numpy as np
from ir_measures import R, nDCG

from evaluation.beir import Corpus, Questions
from retrieval.encoder import Encoder
from retrieval.index.base import CollectionSpec, Index, Precision
from retrieval.ranking import DEPTH, STAGES, Reranking
from retrieval.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from retrieval.reranker import Reranker
from retrieval.served import served_spec
from retrieval.types import Candidate, FusedCandidate
from training.searchable import Searchable, searchable, sparse_vectors, temporary_index

NDCG, RECALL = nDCG @ 10, R @ DEPTH  # linear gain, log2 discount: trec_eval's
TERM_BYTES = 8  # a uint32 id and a float32 weight

EncoderFor = Callable[[CollectionSpec], Encoder]


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
    with temporary_index() as index:
        bench = _Bench(index, corpus, questions, weights)
        most, *fewer = sorted(dimensions, reverse=True)
        served = yield from bench.dense_runs(encoder_for, most)
        for dims in fewer:
            yield from bench.dense_runs(encoder_for, dims)
        yield from bench.ranked_runs(served, reranker)


class _Bench:
    """An indexed corpus and its questions."""

    def __init__(self, index: Index, corpus: Corpus, questions: Questions, weights: FusionWeights) -> None:
        ids = [str(uuid5(NAMESPACE_URL, id)) for id in corpus.ids]
        self._index = index
        self._questions = questions
        self._weights = weights
        self._document_ids = dict(zip(ids, corpus.ids, strict=True))
        self._passages = dict(zip(ids, corpus.passages, strict=True))
        self._terms = sparse_vectors(self._passages)

    def dense_runs(self, encoder_for: EncoderFor, dims: int) -> Generator[Run, None, Searchable]:
        """The three runs of one dimension. Returns what the product serves, for the others."""
        plain = CollectionSpec(dims)
        encoder = encoder_for(plain)
        coded = self._searchable(encoder, plain)
        yield self._dense_run("dense-float", coded, "exact", 4 * dims)
        yield self._dense_run("dense-binary", coded, "binary", dims / 8)
        spec = served_spec(encoder)
        served = coded if spec == plain else self._searchable(encoder_for(spec), spec)
        yield self._dense_run("dense-binary-rescored", served, "rescored", spec.coded / 8)
        return served

    def ranked_runs(self, served: Searchable, reranker: Reranker | None) -> Iterator[Run]:
        """The runs of the ranking path, whose queries are asked once for all."""
        answers = _Answers(), _Answers(), _Answers()
        reranking = Reranking(partial(_score, reranker), reranker.card) if reranker else None
        for id, text in self._questions.queries.items():
            started = time.perf_counter()
            ranking = served.rank(text, reranking)
            total = time.perf_counter() - started
            seconds = [step.seconds for step in ranking.steps]
            first = 3 + len(STAGES)  # the legs, fused, and the stages
            lexical = total - sum(seconds[1:])
            hybrid = total - sum(seconds[first:])
            answers[0].add(id, lexical, ranking.steps[0].candidates)
            answers[1].add(id, hybrid, ranking.steps[first - 1].candidates)
            answers[2].add(id, total, ranking.candidates)
        lexical_bytes = TERM_BYTES * float(np.mean([len(terms.indices) for terms in self._terms]))
        size = served.spec.coded / 8 + lexical_bytes
        most = served.spec.dimensions
        yield self._run("lexical", 0, lexical_bytes, answers[0])
        yield self._run("hybrid", most, size, answers[1])
        if reranker:
            yield self._run("reranked", most, size, answers[2])

    def _searchable(self, encoder: Encoder, spec: CollectionSpec) -> Searchable:
        return searchable(self._index, encoder, spec, self._passages, self._terms, self._weights)

    def _dense_run(self, name: str, searched: Searchable, precision: Precision, size: float) -> Run:
        answers, scope = _Answers(), searched.scope
        for id, text in self._questions.queries.items():
            started = time.perf_counter()
            vector = scope.encoder.encode_queries([text])[0]
            found = scope.index.search_dense(scope.collection, vector, limit=DEPTH, precision=precision)
            answers.add(id, time.perf_counter() - started, found)
        return self._run(name, searched.spec.dimensions, size, answers)

    def _run(self, name: str, dims: int, size: float, answers: _Answers) -> Run:
        """Measure. The ranks are what is judged, so equal scores cannot be reordered."""
        ranking = {
            query: {self._document_ids[id]: -float(rank) for rank, id in enumerate(ids)}
            for query, ids in answers.ids.items()
        }
        measured = ir_measures.calc_aggregate([NDCG, RECALL], self._questions.judgements, ranking)
        p50, p95 = np.percentile(answers.milliseconds, [50, 95])
        return Run(name, dims, measured[NDCG], measured[RECALL], float(p50), float(p95), size)


class _Answers:
    """The ranked ids of each query, and how long they took."""

    def __init__(self) -> None:
        self.ids: dict[str, list[str]] = {}
        self.milliseconds: list[float] = []

    def add(self, query: str, seconds: float, found: Sequence[Candidate | FusedCandidate]) -> None:
        self.ids[query] = [candidate.id for candidate in found]
        self.milliseconds.append(seconds * 1000)


def _score(reranker: Reranker, query: str, passages: Sequence[str]) -> list[float]:
    scores: list[float] = reranker.score([(query, passage) for passage in passages]).tolist()
    return scores
