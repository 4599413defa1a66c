"""Quality, bytes and time of every quantization, measured in the embedded engine on sets in BEIR's layout.

python -m benchmarks.quantization FOLDER [--sets a,b] [--adapt] [--json FILE]

writes the section `quantization` of docs/quality.md.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args
from uuid import NAMESPACE_URL, uuid5

import ir_measures
import numpy as np
from ir_measures import nDCG

from benchmarks.quantization_report import Row, section
from benchmarks.sections import write_section
from retrieval.encoder import load_encoder
from retrieval.index.base import CollectionSpec, Precision, Quantization
from retrieval.index.edge import EdgeIndex
from retrieval.types import FloatArray, Point, SparseVector
from training.adapt import adapt
from training.bags import unit
from training.beir import Corpus, Questions, load_corpus, load_questions
from training.pair_noise import SHIPPED, damping, pair_noise, self_pairs
from training.rotation import fit_rotation
from training.static_model import read_model

ROOT = Path(__file__).resolve().parents[1]
ENCODER = ROOT / "models" / "encoder"
DIMENSIONS = (512, 256, 128, 64)
SHORT_CODES: tuple[Quantization, ...] = ("binary", "binary-query8", "turbo-1.5")
QUERIES = 300
RESULTS, DEPTH = 10, 100  # what nDCG looks at; what the product asks of each leg
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
    passages, queries, noise = encoded(corpus, questions, learn=learn)
    with (
        tempfile.TemporaryDirectory(prefix="quarry-quantization-") as scratch,
        closing(EdgeIndex(Path(scratch))) as index,
    ):
        bench = _Bench(index, corpus, questions)
        for dims in DIMENSIONS:
            rotation = fit_rotation(passages, dims, noise=noise)
            cut = unit(passages[:, :dims]), unit(queries[:, :dims])
            rotated = unit(passages @ rotation), unit(queries @ rotation)
            yield from bench.rows("binary", False, dims, *cut, searches=(FLOAT, *CODES))
            for kind in get_args(Quantization):
                searches = (FLOAT, *CODES) if kind == "binary" else CODES
                yield from bench.rows(kind, True, dims, *rotated, searches=searches)
        yield from bench.short_codes(passages, queries, noise)


def encoded(
    corpus: Corpus, questions: Questions, *, learn: bool
) -> tuple[FloatArray, FloatArray, FloatArray | None]:
    """Unit vectors of all dimensions, of documents and queries, and what differs within pairs of texts.

    `learn`: of a model that learned the documents; else damped, as an index version's.
    """
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
    sides = self_pairs(static, corpus.passages)
    if sides is None:
        return passages, queries, None
    noise = pair_noise(static.table, sides)
    if model != ENCODER:
        return passages, queries, noise
    damped = damping(noise, SHIPPED)
    return unit(passages @ damped), unit(queries @ damped), pair_noise(static.table @ damped, sides)


class _Bench:
    """An index, the set's ids and its questions."""

    def __init__(self, index: EdgeIndex, corpus: Corpus, questions: Questions) -> None:
        self._index = index
        self._name = corpus.name
        self._questions = questions
        self._documents = {str(uuid5(NAMESPACE_URL, id)): id for id in corpus.ids}

    def rows(
        self,
        kind: Quantization,
        rotated: bool,
        dims: int,
        passages: FloatArray,
        queries: FloatArray,
        *,
        searches: Sequence[Search],
    ) -> Iterator[Row]:
        collection = self._filled(CollectionSpec(dims, kind), passages)
        for search in searches:
            ndcg, p50 = self._measured(collection, queries, search)
            floats = search.precision == "exact"
            size = 4 * dims if floats else code_bytes(kind, dims)
            label = "float" if floats else kind
            documents = len(self._documents)
            yield Row(self._name, documents, label, rotated, dims, search.name, size, ndcg, p50)
        self._index.drop(collection)

    def short_codes(
        self, passages: FloatArray, queries: FloatArray, noise: FloatArray | None
    ) -> Iterator[Row]:
        """Codes of fewer dimensions, rescored by all; ITQ turns the first ones alone."""
        full = passages.shape[1]
        for dims in DIMENSIONS[1:3]:
            rotation = fit_rotation(passages, full, noise=noise, code_dimensions=dims)
            for kind in SHORT_CODES:
                spec = CollectionSpec(full, kind, dims)
                collection = self._filled(spec, passages @ rotation)
                for search in CODES:
                    ndcg, p50 = self._measured(collection, queries @ rotation, search)
                    label, size = f"{kind} of {full}", code_bytes(kind, dims)
                    yield Row(
                        self._name, len(self._documents), label, True, dims, search.name, size, ndcg, p50
                    )
                self._index.drop(collection)

    def _filled(self, spec: CollectionSpec, passages: FloatArray) -> str:
        collection = f"{spec.quantization}-{spec.code_dimensions or spec.dimensions}"
        self._index.create(collection, spec)
        points = zip(self._documents, passages, strict=True)
        self._index.upsert(collection, [Point(id, vector, _NO_TERMS, {}) for id, vector in points])
        return collection

    def _measured(self, collection: str, queries: FloatArray, search: Search) -> tuple[float, float]:
        """nDCG@10 of the ranks, so that equal scores cannot be reordered, and milliseconds, median."""
        ranking: dict[str, dict[str, float]] = {}
        milliseconds = []
        for id, vector in zip(self._questions.queries, queries, strict=True):
            started = time.perf_counter()
            hits = self._index.search_dense(
                collection,
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
