"""Ablation of SMEC (research/smec) on sets in BEIR's layout: what each way of making vectors smaller keeps.

python -m research.smec_ablation FOLDER [--sets a,b] [--shipped] [--axes]

Each corpus is learned first, as `manage.py adapt` does, or with `--shipped` not. Everything is fitted to its
documents; its queries and judgements only measure. Writes the sections `ablation` and `variance` of
docs/research/smec.md with its picture, or the section `ablation-shipped`, `axes` or `axes-shipped`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import ir_measures
import numpy as np
from ir_measures import nDCG

from evaluation.beir import Questions, load_corpus, load_questions
from evaluation.sections import write_section
from research.smec.compress import Compression, compress
from research.smec.stage import CompressionPlan
from research.smec_report import Row, section, variance_picture, variance_section
from retrieval.types import FloatArray
from training.adapt import adapt
from training.bags import BagMaker, unit
from training.contrastive import pair_bags
from training.pair_noise import LEARNED, SHIPPED, PairVectors, damping
from training.pairs import sample_pairs
from training.rotation import principal_axes
from training.static_model import read_model

ROOT = Path(__file__).resolve().parents[1]
ENCODER = ROOT / "models" / "encoder"
FULL = 512
SMALLER = (256, 128, 64, 32)
PAIRS = 35_000
# Bounds the time: matrices are trained on so many pairs, drawn at random.
TRAINING_PAIRS = 1_500
VARIANTS = {
    "no matrix": None,
    "MRL": Compression(),
    "+ SMRL": Compression(sequential=True),
    "+ ADS": Compression(select=True),
    "+ S-XBM": Compression(memory=True),
    "all three": Compression(sequential=True, select=True, memory=True),
}
_PICTURED = "principal axes"  # the start of which the gradient's variance is shown
_NDCG = nDCG @ 10


@dataclass(frozen=True, slots=True)
class Vectors:
    """A set in the learned model's space, (n, 512) each, and what judges it."""

    corpus: FloatArray
    queries: FloatArray
    pairs: PairVectors
    ids: list[str]
    questions: Questions

    def through(self, matrix: FloatArray) -> Vectors:
        pairs = self.pairs.through(matrix)
        return Vectors(self.corpus @ matrix, self.queries @ matrix, pairs, self.ids, self.questions)

    def ndcg(self, matrix: FloatArray) -> float:
        """Quality of exact search among the vectors `through` the matrix."""
        similarities = unit(self.queries @ matrix) @ unit(self.corpus @ matrix).T
        best = np.argsort(-similarities, axis=1, kind="stable")[:, :10]
        run = {
            query: {self.ids[column]: float(row[column]) for column in columns}
            for query, row, columns in zip(self.questions.queries, similarities, best, strict=True)
        }
        measured = ir_measures.calc_aggregate([_NDCG], self.questions.judgements, run)
        return float(measured[_NDCG])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="FOLDER")
    parser.add_argument("--sets", type=lambda names: names.split(","), help="all of the folder by default")
    parser.add_argument("--shipped", action="store_true", help="the model as it is, without learning")
    parser.add_argument("--axes", action="store_true", help="the axes alone, without training matrices")
    options = parser.parse_args()
    found = sorted(path.parents[1].name for path in options.data.glob("*/qrels/test.tsv"))
    rows: list[Row] = []
    for name in options.sets or found:
        started = time.monotonic()
        vectors = set_vectors(options.data / name, learn=not options.shipped)
        exponent = SHIPPED if options.shipped else LEARNED
        rows += measure_set(name, vectors, exponent, ["no matrix"] if options.axes else [*VARIANTS])
        print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    name = ("axes" if options.axes else "ablation") + ("-shipped" if options.shipped else "")
    write_section(ROOT / "docs" / "research" / "smec.md", name, section(rows))
    if options.shipped or options.axes:
        return
    write_section(ROOT / "docs" / "research" / "smec.md", "variance", variance_section(rows, _PICTURED))
    picture = ROOT / "docs" / "research" / "smec-gradient-variance.svg"
    picture.write_text(variance_picture(rows, _PICTURED), encoding="utf-8")


def set_vectors(folder: Path, *, learn: bool) -> Vectors:
    """A set's vectors by the shipped model; `learn`: after it learned the set's documents."""
    corpus, questions = load_corpus(folder), load_questions(folder)
    with tempfile.TemporaryDirectory(prefix="quarry-smec-") as scratch:
        output = Path(scratch) / "encoder"
        better = learn and adapt(str(ENCODER), [[passage] for passage in corpus.passages], output).better
        model = read_model(str(output if better else ENCODER))
    bags = BagMaker(model.tokenizer)
    pairs = sample_pairs(list(enumerate(corpus.passages)), limit=PAIRS, seed=0)
    counts = pair_bags(bags, pairs)

    def vectors(rows: object) -> FloatArray:
        return unit(np.asarray(rows @ model.table, dtype=np.float32))  # type: ignore[operator]

    return Vectors(
        corpus=vectors(bags([passage.full for passage in corpus.passages])),
        queries=vectors(bags(list(questions.queries.values()))),
        pairs=PairVectors.of(model.table, counts),
        ids=corpus.ids,
        questions=questions,
    )


def measure_set(name: str, vectors: Vectors, exponent: float, variants: Sequence[str]) -> Iterator[Row]:
    """The variants from every start, at every dimension; `exponent`: of the damping."""
    everything = np.eye(FULL, dtype=np.float32)
    reference = vectors.ndcg(everything)
    damped = damping(vectors.pairs.noise(), exponent)
    after = vectors.through(damped)
    starts = {
        "cut": everything,
        _PICTURED: principal_axes(vectors.corpus),
        "axes of shared energy": principal_axes(vectors.corpus, vectors.pairs),
        "damped pair noise, principal axes": damped @ principal_axes(unit(after.corpus)),
        "damped pair noise, axes of shared energy": damped @ principal_axes(unit(after.corpus), after.pairs),
    }
    for start, axes in starts.items():
        turned = vectors.through(axes)
        for variant in variants:
            compression = VARIANTS[variant]
            matrices, variances = compressing(turned.pairs, compression)
            matrices = {FULL: everything} | matrices
            shares = {cut: turned.ndcg(matrix) / reference for cut, matrix in matrices.items()}
            yield Row(name, reference, start, variant, shares, variances)


def compressing(
    pairs: PairVectors, compression: Compression | None
) -> tuple[dict[int, FloatArray], dict[int, list[float]]]:
    """A matrix for each dimension, and the gradient's variance in each epoch by the dimension trained."""
    if compression is None:
        return {cut: np.eye(FULL, cut, dtype=np.float32) for cut in SMALLER}, {}
    drawn = np.random.default_rng(0).permutation(len(pairs.groups))[:TRAINING_PAIRS]
    some = PairVectors(unit(pairs.queries[drawn]), unit(pairs.passages[drawn]), pairs.groups[drawn])
    # Sequential, the full dimension needs no matrix; trained at all at once, it is one of all.
    dimensions = SMALLER if compression.sequential else (FULL, *SMALLER)
    compressed = compress(some, compression, CompressionPlan(dimensions), seed=0)
    return compressed.matrices, compressed.variances


if __name__ == "__main__":
    main()
