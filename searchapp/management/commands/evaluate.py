"""`manage.py evaluate DATASET_DIR`: quality and speed of the real pipeline on a BEIR-layout set."""

from __future__ import annotations

import json
import tempfile
from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from ingestion.engine import model_path
from retrieval.encoder import Encoder, EncoderUnavailableError, load_encoder
from retrieval.fusion import DEFAULT_WEIGHTS, LEARNED_WEIGHTS, FusionWeights
from retrieval.reranker import Reranker, load_reranker
from searchapp.management.judged import JudgedCommand, add_judged_arguments
from training.adapt import adapt
from training.beir import Corpus, DatasetError, Questions, load_corpus, load_questions
from training.evaluate import Run, evaluate

CUTS = (512, 256, 128, 64)
COLUMNS = f"{'run':<24}{'dims':>6}{'nDCG@10':>10}{'R@100':>8}{'p50 ms':>9}{'p95 ms':>9}{'bytes':>8}"


def _dimensions(text: str) -> tuple[int, ...]:
    try:
        values = tuple(int(part) for part in text.split(","))
    except ValueError:
        values = ()
    if not values or min(values) < 1:
        raise ArgumentTypeError(f"{text!r} is no list of dimensions such as 512,256")
    return values


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is no number of queries")
    return int(text)


class Command(BaseCommand):
    help = "Measure search quality and speed on a set in BEIR layout, in a temporary index."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", type=Path, nargs="?", metavar="DATASET_DIR")
        add_judged_arguments(parser)
        parser.add_argument(
            "--dims", type=_dimensions, help="512,256,128,64 by default, as far as the model goes"
        )
        parser.add_argument("--adapt", action="store_true", help="first learn from the documents alone")
        parser.add_argument("--queries", type=_count, metavar="N", help="only the first N judged queries")
        parser.add_argument("--json", type=Path, metavar="FILE")

    def handle(self, *args: Any, dataset: Path | None, **options: Any) -> None:
        if (dataset is None) == (options["judgements"] is None):
            raise CommandError("Name either DATASET_DIR or --judgements FILE.csv.")
        if dataset is None:
            JudgedCommand().execute(**options)
            return
        with tempfile.TemporaryDirectory(prefix="quarry-adapted-") as folder:
            try:
                corpus = load_corpus(dataset)
                model, adapted = Path(model_path(settings.ENCODER)), False
                if options["adapt"]:
                    model, adapted = self._learn(model, corpus, Path(folder) / "encoder")
                encoder, dimensions = _encoder(str(model), options["dims"])
                questions = load_questions(dataset, options["queries"])
            except (DatasetError, EncoderUnavailableError, OSError, ValueError) as error:
                raise CommandError(str(error)) from error
            weights = LEARNED_WEIGHTS if adapted else DEFAULT_WEIGHTS
            report = self._measure(corpus, questions, encoder, dimensions, weights)
        if options["json"]:
            options["json"].write_text(json.dumps({**report, "adapted": adapted}, indent=1) + "\n")

    def _learn(self, model: Path, corpus: Corpus, output: Path) -> tuple[Path, bool]:
        """The model that learned from the documents alone; the given one where that is no better."""
        self.stdout.write(f"Learning {len(corpus.ids)} documents...")
        learned = adapt(model, [[passage] for passage in corpus.passages], output)
        self.stdout.write(f"{learned.reason} {learned.training_pairs} pairs, {learned.seconds:.0f} s")
        return (output, True) if learned.better else (model, False)

    def _measure(
        self,
        corpus: Corpus,
        questions: Questions,
        encoder: Encoder,
        dimensions: Sequence[int],
        weights: FusionWeights,
    ) -> dict[str, object]:
        """Print each run as it ends; the report for programs, but for what is known of learning."""
        reranker = self._reranker()
        self.stdout.write(f"{corpus.name}: {len(corpus.ids)} documents, {len(questions.queries)} queries")
        self.stdout.write(COLUMNS)
        runs = []
        for run in evaluate(corpus, questions, encoder, reranker, dimensions, weights):
            runs.append(run)
            self._write(run)
        return {
            "dataset": corpus.name,
            "documents": len(corpus.ids),
            "queries": len(questions.queries),
            "encoder": {"name": settings.ENCODER, "dimensions": encoder.dimensions},
            "reranker": {"name": reranker.name} if reranker else None,
            "runs": [_as_json(run) for run in runs],
        }

    def _reranker(self) -> Reranker | None:
        if settings.RERANK_BACKEND == "off":
            return None
        try:
            return load_reranker(model_path(settings.RERANKER), backend=settings.RERANK_BACKEND)
        except (ImportError, OSError, RuntimeError, ValueError) as error:
            self.stderr.write(self.style.WARNING(f"No reranked run: {error}"))
            return None

    def _write(self, run: Run) -> None:
        self.stdout.write(
            f"{run.name:<24}{run.dimensions or '':>6}{run.ndcg:>10.4f}{run.recall:>8.4f}"
            f"{run.p50_ms:>9.2f}{run.p95_ms:>9.2f}{run.bytes_per_vector:>8.0f}"
        )


def _encoder(model: str, asked: Sequence[int] | None) -> tuple[Encoder, Sequence[int]]:
    """The encoder with the most dimensions asked, and all that were asked."""
    if asked:
        return load_encoder(model, max(asked)), asked
    most = min(load_encoder(model).dimensions, settings.DIMENSIONS)
    return load_encoder(model, most), [most, *(cut for cut in CUTS if cut < most)]


def _as_json(run: Run) -> dict[str, str | float]:
    return {
        "name": run.name,
        "dimensions": run.dimensions,
        "ndcg@10": round(run.ndcg, 5),
        "recall@100": round(run.recall, 5),
        "p50_ms": round(run.p50_ms, 3),
        "p95_ms": round(run.p95_ms, 3),
        "bytes_per_vector": round(run.bytes_per_vector, 1),
    }
