"""`manage.py evaluate FOLDER`: quality and speed of the real pipeline on a BEIR-layout set, or on files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentTypeError
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser

from config.management.arguments import report_file
from config.management.judged import JudgedCommand, add_judged_arguments
from evaluation.beir import Corpus, DatasetError, Questions, check_layout, load_corpus, load_questions
from evaluation.evaluate import EncoderFor, Run, evaluate
from indexing.engine import model_path
from retrieval.encoder import EncoderUnavailableError, load_encoder
from retrieval.index.base import CollectionSpec
from retrieval.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from retrieval.reranker import Reranker, load_reranker
from training.adapt import adapt
from training.calibrate import calibrate
from training.rotation import fitted_encoder
from training.static_model import NotStaticError

# What a data folder of its own must not share with the installation.
SERVERS = ("QUARRY_REDIS_URL", "QUARRY_DATABASE_URL", "QUARRY_QDRANT_URL")
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
    help = "Measure search quality and speed on a set in BEIR layout, or on files and questions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("dataset", type=Path, nargs="?", metavar="DATASET_DIR")
        add_judged_arguments(parser)
        parser.add_argument(
            "--dims", type=_dimensions, help="512,256,128,64 by default, as far as the model goes"
        )
        parser.add_argument("--adapt", action="store_true", help="first learn from the documents alone")
        parser.add_argument("--queries", type=_count, metavar="N", help="only the first N judged queries")
        parser.add_argument("--json", type=report_file, metavar="FILE")

    def handle(self, *args: Any, dataset: Path | None, **options: Any) -> None:
        if (dataset is None) == (options["judgements"] is None):
            raise CommandError("Name either DATASET_DIR or --judgements FILE.csv.")
        if dataset is None and (options["adapt"] or options["dims"] or options["queries"]):
            raise CommandError("--adapt, --dims and --queries go with DATASET_DIR, not with --judgements.")
        if dataset is None:
            JudgedCommand().execute(**options)
            return
        if (dataset / "files").is_dir():
            if options["dims"]:
                raise CommandError("--dims goes with a set in BEIR layout, not with files.")
            evaluate_files(dataset, options)
            return
        with tempfile.TemporaryDirectory(prefix="quarry-evaluate-") as folder:
            try:
                check_layout(dataset)
                dimensions = _dimensions_of(model_path(settings.ENCODER), options["dims"])
                corpus = load_corpus(dataset)
                encoder_for, weights, adapted = self._fitted(corpus, Path(folder), adapting=options["adapt"])
                questions = load_questions(dataset, options["queries"])
                report = self._measure(corpus, questions, encoder_for, dimensions, weights)
            except (DatasetError, EncoderUnavailableError, NotStaticError, OSError, ValueError) as error:
                raise CommandError(str(error)) from error
        if options["json"]:
            options["json"].write_text(json.dumps({**report, "adapted": adapted}, indent=1) + "\n")

    def _fitted(
        self, corpus: Corpus, scratch: Path, *, adapting: bool
    ) -> tuple[EncoderFor, FusionWeights, bool]:
        """The encoders, the fusion weights, and whether the model has learned; from the documents alone."""
        model, passages = model_path(settings.ENCODER), corpus.passages
        if not adapting:
            encoder_for = partial(fitted_encoder, model, passages, scratch, False)
            encoder = encoder_for(CollectionSpec(load_encoder(model).dimensions))
            weights, _ = calibrate(encoder.encode_passages, passages, passages, DEFAULT_WEIGHTS)
            return encoder_for, weights, False
        self.stdout.write(f"Learning {len(corpus.ids)} documents...")
        learned = adapt(model, [[passage] for passage in passages], scratch / "learned")
        self.stdout.write(f"{learned.reason} {learned.training_pairs} pairs, {learned.seconds:.0f} s")
        model = str(scratch / "learned") if learned.better else model
        encoder_for = partial(fitted_encoder, model, passages, scratch, learned.better)
        return encoder_for, learned.weights, learned.better

    def _measure(
        self,
        corpus: Corpus,
        questions: Questions,
        encoder_for: EncoderFor,
        dimensions: Sequence[int],
        weights: FusionWeights,
    ) -> dict[str, object]:
        """Print each run as it ends; the report for programs, but for what is known of learning."""
        reranker = self._reranker()
        self.stdout.write(f"{corpus.name}: {len(corpus.ids)} documents, {len(questions.queries)} queries")
        self.stdout.write(
            f"Lexical weight {weights.spaced:.2f}, Chinese and Japanese {weights.cjk:.2f}, "
            f"Korean {weights.korean:.2f}"
        )
        self.stdout.write(COLUMNS)
        runs = []
        for run in evaluate(corpus, questions, encoder_for, reranker, dimensions, weights):
            runs.append(run)
            self._write(run)
        return {
            "dataset": corpus.name,
            "documents": len(corpus.ids),
            "queries": len(questions.queries),
            "encoder": {"name": settings.ENCODER, "dimensions": max(dimensions)},
            "reranker": {"name": reranker.name} if reranker else None,
            "fusion": asdict(weights),
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


def evaluate_files(folder: Path, options: dict[str, Any]) -> None:
    """Run `evaluate_files` in a data folder that is removed at the end, whatever this one is set to use."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "evaluate_files", str(folder.resolve())]
    command += ["--adapt"] if options["adapt"] else []
    for name in ("queries", "json"):
        command += [f"--{name}", str(options[name])] if options[name] else []
    own = {name: value for name, value in os.environ.items() if name not in SERVERS}
    with tempfile.TemporaryDirectory(prefix="quarry-evaluate-") as data:
        done = subprocess.run(command, env={**own, "QUARRY_DATA": data}, check=False)
    if done.returncode:
        raise CommandError("The files could not be evaluated.")


def _dimensions_of(model: str, asked: Sequence[int] | None) -> Sequence[int]:
    """All that were asked, each once; else the product's, and the usual cuts below it.

    Raises `ValueError` for more than the model has.
    """
    full = load_encoder(model).dimensions
    if asked and max(asked) > full:
        raise ValueError(f"--dims {max(asked)} is too much: {model} has {full} dimensions.")
    most = min(full, settings.DIMENSIONS)
    return list(dict.fromkeys(asked or [most, *(cut for cut in CUTS if cut < most)]))


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
