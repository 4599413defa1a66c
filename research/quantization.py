"""Quality, bytes and time of every quantization, measured in the embedded engine on sets in BEIR's layout.

python -m research.quantization FOLDER [--sets a,b] [--adapt] [--json FILE]

writes the section `quantization` of docs/quality.md.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args
from uuid import NAMESPACE_URL, uuid5

import ir_measures
import numpy as np
from ir_measures import nDCG

from evaluation.beir import Corpus, Questions, load_corpus, load_questions
from evaluation.sections import write_section
from research.quantization_report import Row, section
from retrieval.encoder import load_encoder
from retrieval.index.base import CollectionSpec, Precision, Quantization
from retrieval.index.edge import EdgeIndex
from retrieval.types import FloatArray, Point, SparseVector
from training.adapt import adapt
from training.bags import unit
from training.pair_noise import LEARNED, SHIPPED, PairVectors, damping, self_pairs
from training.rotation import fit_rotation
from training.static_model import read_model

ROOT = Path(__file__).resolve().parents[1]
ENCODER = ROOT / "models" / "encoder"
DIMENSIONS = (512, 256, 128, 64)
SHORT_CODES: tuple[Quantization, ...] = ("binary", "binary-query8", "turbo-1.5")
QUERIES = 300
RESULTS, DEPTH = 10, 100  # what nDCG looks at; what the product asks of each leg
_COLLECTION = "codes"
_NO_TERMS = SparseVector(np.array([], np.uint32), np.array([], np.float32))
_WORD_BYTES = 16  # the engine packs one-bit codes into 128-bit words
_TURBO_EXTRA_BYTES = 8  # two float32 a vector, which correct its length


@dataclass(frozen=True, slots=True)
class Search:
    """`limit` results of the index are asked for, of which the first ten are judged."""

    name: str
    precision: Precision
    limit: int = RESULTS
    oversampling: float = 1.0


CODES = (
    Search("codes", "binary"),
    *(Search(f"{times}x", "rescored", oversampling=times) for times in (1, 2, 3, 5)),
    *(Search(f"{times}x of {DEPTH}", "rescored", DEPTH, times) for times in (1, 3)),
)
FLOAT = Search("float", "exact")


def code_bytes(kind: Quantization, dimensions: int) -> int:
    """RAM that the engine takes for the codes of one vector."""
    family, _, detail = kind.partition("-")
    if family == "turbo":
        return math.ceil(dimensions * float(detail) / 8) + _TURBO_EXTRA_BYTES
    bits = float(detail) if detail and detail[0].isdigit() else 1.0
    return math.ceil(dimensions * bits / 8 / _WORD_BYTES) * _WORD_BYTES


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="FOLDER")
    parser.add_argument("--sets", type=lambda names: names.split(","), help="all of the folder by default")
    parser.add_argument("--adapt", action="store_true", help="first learn each corpus from its documents")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    found = sorted(path.parents[1].name for path in options.data.glob("*/qrels/test.tsv"))
    rows: list[Row] = []
    for name in options.sets or found:
        started = time.monotonic()
        rows += measure_set(options.data / name, learn=options.adapt)
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    suffix = "-adapted" if options.adapt else ""
    markdown = section(rows, queries=QUERIES, adapted=options.adapt)
    write_section(ROOT / "docs" / "quality.md", f"quantization{suffix}", markdown)


def measure_set(folder: Path, *, learn: bool) -> Iterator[Row]:
    """Every kind of codes at every number of dimensions, rotated; one bit and floats also as they are cut."""
    corpus, questions = load_corpus(folder), load_questions(folder, QUERIES)
    full = encoded(corpus, questions, learn=learn)
    with (
        tempfile.TemporaryDirectory(prefix="quarry-quantization-") as scratch,
        closing(EdgeIndex(Path(scratch))) as index,
    ):
        bench = _Bench(index, corpus, questions)
        for dims in DIMENSIONS:
            rotated = full.rotated(dims)
            cut = full.through(np.eye(DIMENSIONS[0], dims, dtype=np.float32))
            yield from bench.rows(CollectionSpec(dims, "binary"), cut, rotated=False)
            for kind in get_args(Quantization):
                yield from bench.rows(CollectionSpec(dims, kind), rotated)
        for dims in DIMENSIONS[1:3]:
            rotated = full.rotated(DIMENSIONS[0], dims)
            for kind in SHORT_CODES:
                yield from bench.rows(CollectionSpec(DIMENSIONS[0], kind, dims), rotated)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A set's unit vectors, (n, columns) each. `pairs`: of its own texts, None where there are too few.

    `learned`: the model has learned the documents.
    """

    passages: FloatArray
    queries: FloatArray
    pairs: PairVectors | None
    learned: bool

    def through(self, matrix: FloatArray) -> Encoded:
        pairs = self.pairs and self.pairs.through(matrix)
        return Encoded(unit(self.passages @ matrix), unit(self.queries @ matrix), pairs, self.learned)

    def damped(self, exponent: float) -> Encoded:
        return self.through(damping(self.pairs.noise(), exponent)) if self.pairs else self

    def rotated(self, dims: int, code_dimensions: int | None = None) -> Encoded:
        """Vectors as an index version of so many dimensions has them (`training.rotation.fold_rotation`)."""
        again = self.learned and dims < self.passages.shape[1]
        vectors = self.damped(LEARNED) if again else self
        rotation = fit_rotation(vectors.passages, dims, pairs=vectors.pairs, code_dimensions=code_dimensions)
        return vectors.through(rotation)


def encoded(corpus: Corpus, questions: Questions, *, learn: bool) -> Encoded:
    """At all dimensions. `learn`: by a model that learned the documents; else damped, as it is served."""
    with tempfile.TemporaryDirectory(prefix="quarry-quantization-") as scratch:
        model = ENCODER
        if learn:
            output = Path(scratch) / "encoder"
            if adapt(str(model), [[passage] for passage in corpus.passages], output).better:
                model = output
        encoder = load_encoder(str(model), DIMENSIONS[0])
        passages = encoder.encode_passages([passage.full for passage in corpus.passages])
        queries = encoder.encode_queries([*questions.queries.values()])
        static = read_model(str(model))
    learned = model != ENCODER
    sides = self_pairs(static, corpus.passages, learned=learned)
    pairs = PairVectors.of(static.table, sides) if sides else None
    found = Encoded(passages, queries, pairs, learned)
    return found if learned else found.damped(SHIPPED)


class _Bench:
    """An index, the set's ids and its questions."""

    def __init__(self, index: EdgeIndex, corpus: Corpus, questions: Questions) -> None:
        self._index = index
        self._name = corpus.name
        self._questions = questions
        self._documents = {str(uuid5(NAMESPACE_URL, id)): id for id in corpus.ids}

    def rows(self, spec: CollectionSpec, vectors: Encoded, *, rotated: bool = True) -> Iterator[Row]:
        """One kind of codes; beside one bit of each dimension the floats as well."""
        self._index.create(_COLLECTION, spec)
        points = zip(self._documents, vectors.passages, strict=True)
        self._index.upsert(_COLLECTION, [Point(id, vector, _NO_TERMS, {}) for id, vector in points])
        kind, short = spec.quantization, spec.coded < spec.dimensions
        searches = (FLOAT, *CODES) if kind == "binary" and not short else CODES
        for search in searches:
            ndcg, p50 = self._measured(vectors.queries, search)
            floats = search is FLOAT
            size = 4 * spec.dimensions if floats else code_bytes(kind, spec.coded)
            label = "float" if floats else f"{kind} of {spec.dimensions}" if short else kind
            documents = len(self._documents)
            yield Row(self._name, documents, label, rotated, spec.coded, search.name, size, ndcg, p50)
        self._index.drop(_COLLECTION)

    def _measured(self, queries: FloatArray, search: Search) -> tuple[float, float]:
        """nDCG@10 of the ranks, so that equal scores cannot be reordered, and milliseconds, median."""
        ranking: dict[str, dict[str, float]] = {}
        milliseconds = []
        for id, vector in zip(self._questions.queries, queries, strict=True):
            started = time.perf_counter()
            hits = self._index.search_dense(
                _COLLECTION,
                vector,
                limit=search.limit,
                precision=search.precision,
                oversampling=search.oversampling,
            )
            milliseconds.append((time.perf_counter() - started) * 1000)
            ranking[id] = {self._documents[hit.id]: -float(rank) for rank, hit in enumerate(hits[:RESULTS])}
        measured = ir_measures.calc_aggregate([nDCG @ RESULTS], self._questions.judgements, ranking)
        return measured[nDCG @ RESULTS], float(np.median(milliseconds))


if __name__ == "__main__":
    main()
