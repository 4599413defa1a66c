"""Make the shipped cross-encoder: `python -m training.reranker.train --data FOLDER --out models/reranker`."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from retrieval.encoder import Encoder, load_encoder
from retrieval.reranker import load_reranker
from retrieval.reranker.twin import TwinBert
from training.base.sources import Pair, read_glosses, read_pairs
from training.base.teacher import FOLDER as TEACHER
from training.reranker.batches import Tokens, calibration
from training.reranker.calibrate import calibrate
from training.reranker.examples import make_examples
from training.reranker.export import copy_tokenizer, save_card, save_onnx, save_torch
from training.reranker.held_out import held_out, shortened
from training.reranker.layers import Bert
from training.reranker.prune import Cut, prune
from training.reranker.teach import Recipe, teach
from training.reranker.tokens import pair_inputs, plain_tokenizer
from training.reranker.vocabulary import english_vocabulary, save_tokenizer
from training.reranker.whole import make_whole

SOURCES = ("medquad", "docs_sections_en", "tfdocs_sections_en")
GLOSSES = 8_000
MAX_LENGTH = 320
RECIPE = Recipe(Cut(feed_forward=768), labels=0.3, hidden=0.0, steps=916)  # every example once


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder train/ of the data")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    parser.add_argument("--work", type=Path, default=Path("data/reranker"), help="what is made on the way")
    parser.add_argument("--encoder", default="models/encoder", help="finds the candidates to calibrate with")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    sources = read_sources(arguments.data)
    pruned = arguments.work / "pruned"
    train(sources, arguments.work / "whole", pruned, arguments.out)
    for folder in (pruned, arguments.out):
        export(folder, sources)
    judge(pruned, arguments.out, load_encoder(arguments.encoder), sources)


def read_sources(data: Path) -> list[list[Pair]]:
    """Labelled pairs, and words with their glosses for the many words that those do not use."""
    glosses = read_glosses()
    random.Random(0).shuffle(glosses)
    return [*(read_pairs(data, name) for name in SOURCES), glosses[:GLOSSES]]


def split(sources: Sequence[Sequence[Pair]]) -> tuple[list[list[Pair]], list[list[Pair]]]:
    """Split each source into the pairs to learn and those whose passages are held out."""
    masks = [held_out([pair.positive for pair in source]) for source in sources]
    parts = [
        [[pair for pair, out in zip(source, mask, strict=True) if out == side] for side in (False, True)]
        for source, mask in zip(sources, masks, strict=True)
    ]
    return [learned for learned, _ in parts], [unseen for _, unseen in parts]


def train(sources: Sequence[Sequence[Pair]], whole: Path, pruned: Path, out: Path) -> None:
    """Weights and tokenizer of each: the whole model, the part of it that is kept, and that part taught."""
    save_whole(sources, whole)
    examples = make_examples(sources)
    tokens = Tokens.of(whole, examples)
    teacher: Bert = TwinBert.from_pretrained(whole, dtype=torch.float32)
    model = prune(teacher.eval(), calibration(examples, tokens), RECIPE.cut)
    for folder in (pruned, out):
        copy_tokenizer(whole, folder)
    save_torch(model, pruned)
    teach(model, teacher, examples, tokens, RECIPE)
    save_torch(model, out)


def save_whole(sources: Sequence[Sequence[Pair]], folder: Path) -> None:
    """The whole model's weights and tokenizer."""
    learned, _ = split(sources)
    passages = [shortened(pair.positive) for source in learned for pair in source[::5]]
    rows = english_vocabulary(TEACHER)
    save_tokenizer(TEACHER, rows, folder, MAX_LENGTH)
    save_torch(make_whole(TEACHER, rows, plain_tokenizer(folder), passages), folder)


def export(folder: Path, sources: Sequence[Sequence[Pair]]) -> None:
    """onnx/model_int8.onnx from model.safetensors: both then hold the same, rounded weights."""
    model: Bert = TwinBert.from_pretrained(folder, dtype=torch.float32)
    save_onnx(model.eval(), folder, sample_pairs(plain_tokenizer(folder), sources))


def judge(pruned: Path, taught: Path, encoder: Encoder, sources: Sequence[Sequence[Pair]]) -> None:
    """quarry.json of both: how far the scores are to be trusted, by what nobody learned.

    The weight is that of the model before it was taught: after it, pairs of the sources that it was taught on
    would trust it more than other texts should.
    """
    _, unseen = split(sources)
    labelled = slice(len(SOURCES))
    weights, spreads = [], []
    for folder in (pruned, taught):
        save_card(folder, weight=0.0, max_length=MAX_LENGTH)
        weight, spread = calibrate(load_reranker(folder), encoder, unseen[labelled], sources[labelled])
        weights.append(weight)
        spreads.append(spread)
    for folder, spread in zip((pruned, taught), spreads, strict=True):
        save_card(folder, weight=weights[0], max_length=MAX_LENGTH, spread=spread)


def sample_pairs(tokenizer: Tokenizer, sources: Sequence[Sequence[Pair]]) -> dict[str, Tensor]:
    """Queries with their passages and with others, as the cross-encoder reads them."""
    random_ = random.Random(2)
    chosen = [pair for source in sources for pair in random_.sample(list(source), 12)]
    others = random_.sample(chosen, len(chosen))
    pairs = [(a.query, b.positive[:400]) for a, b in zip(chosen * 2, chosen + others, strict=True)]
    return pair_inputs(tokenizer, pairs)


if __name__ == "__main__":
    main()
