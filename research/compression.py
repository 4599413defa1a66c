"""Prune, distil and quantize the shipped reranker, and write docs/research/compression.md.

    python -m research.compression FOLDER --train FOLDER [--queries N] [--steps N]

Variants, first stages and scores are kept in `data/compression`; an interrupted run goes on where it was.
Remove a folder there to make it anew.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from evaluation.sections import write_section
from research.candidates import MODEL, ROOT, SETS, JudgedSet, judged_set
from research.compression_judge import milliseconds, scores
from research.compression_models import STEPS, TAUGHT, Material, Variant, variants
from research.compression_report import Row, distillations, tables
from retrieval.processors import usable_processors
from retrieval.reranker import load_card
from retrieval.reranker.onnx_backend import MOST_THREADS
from training.reranker.batches import Tokens
from training.reranker.examples import make_examples
from training.reranker.teach import Taught
from training.reranker.train import read_sources, save_whole

TARGET = ROOT / "docs" / "research" / "compression.md"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, metavar="FOLDER", help="of evaluation sets")
    parser.add_argument("--train", type=Path, required=True, help="the folder train/ of the data")
    parser.add_argument("--work", type=Path, default=ROOT / "data" / "compression")
    parser.add_argument("--queries", type=int, default=60, help="of each set")
    parser.add_argument("--steps", type=int, default=STEPS, help="of each distillation")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    made = variants(_material(options.train, options.work, options.steps), options.work / "models")
    sets = [judged_set(options.data / name, options.queries, options.work / "sets") for name in SETS]
    rows = _rows(made, sets, options.work / "scores")
    hybrid = {judged.name: judged.ndcg(None, 0) for judged in sets}
    weight, threads = load_card(MODEL).weight, min(usable_processors(), MOST_THREADS)
    markdown = tables(rows, hybrid, queries=options.queries, weight=weight, threads=threads)
    write_section(TARGET, "variants", markdown)
    write_section(TARGET, "distillation", distillations(_taught(made)))


def _material(train: Path, work: Path, steps: int) -> Material:
    sources, whole = read_sources(train), work / "six-layers"
    if not whole.exists():
        save_whole(sources, whole)
    examples = make_examples(sources)
    return Material(MODEL, whole, sources, examples, Tokens.of(whole, examples), steps)


def _taught(made: Sequence[Variant]) -> dict[str, Taught]:
    files = {variant.label: variant.folder / TAUGHT for variant in made if variant.kind == "distilled"}
    return {label: Taught(**json.loads(file.read_text(encoding="utf-8"))) for label, file in files.items()}


def _rows(made: Sequence[Variant], sets: Sequence[JudgedSet], work: Path) -> list[Row]:
    weight = load_card(MODEL).weight
    by_key = {variant.key: variant for variant in made}
    times = milliseconds(made)
    rows = []
    for variant in made:
        found = {}
        if variant.judged_as:
            found = {judged.name: scores(by_key[variant.judged_as], judged, work) for judged in sets}
        rows.append(
            Row(
                variant.key,
                variant.label,
                variant.kind,
                variant.precision,
                variant.file.stat().st_size / 1e6,
                times.get(variant.key),
                alone={judged.name: judged.ndcg(found[judged.name], 1.0) for judged in sets if found},
                fused={judged.name: judged.ndcg(found[judged.name], weight) for judged in sets if found},
            )
        )
    return rows


if __name__ == "__main__":
    main()
