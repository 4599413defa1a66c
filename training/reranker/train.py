"""Make the shipped cross-encoder: `python -m training.reranker.train --data FOLDER --out models/reranker`."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from retrieval.encoder import load_encoder
from retrieval.reranker import load_reranker
from retrieval.reranker.twin import TwinBert
from training.reranker.batches import Tokens, calibration
from training.reranker.calibrate import calibrate
from training.reranker.examples import Examples, make_examples
from training.reranker.export import save_card, save_onnx, save_torch
from training.reranker.held_out import held_out, shortened
from training.reranker.layers import Bert
from training.reranker.prune import Cut, prune
from training.reranker.teach import Recipe, Taught, teach
from training.reranker.tokens import pair_inputs, plain_tokenizer
from training.reranker.vocabulary import english_vocabulary, save_tokenizer
from training.reranker.whole import make_whole
from training.sources import Pair, read_glosses, read_pairs
from training.teacher import FOLDER as TEACHER

SOURCES = ("medquad", "docs_sections_en", "tfdocs_sections_en")
GLOSSES = 8_000
MAX_LENGTH = 320
RECIPE = Recipe(Cut(feed_forward=768), labels=0.3, hidden=0.0, steps=500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder train/ of the data")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    parser.add_argument("--work", type=Path, default=Path("data/reranker"), help="what is made on the way")
    parser.add_argument("--encoder", default="models/encoder", help="finds the candidates to calibrate with")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    sources = read_sources(arguments.data)
    train(sources, arguments.work, arguments.out)
    export(arguments.out, sources)
    judge(arguments.out, arguments.encoder, sources)


def read_sources(data: Path) -> list[list[Pair]]:
    """Labelled pairs, and words with their glosses for the many words that those do not use."""
    glosses = read_glosses()
    random.Random(0).shuffle(glosses)
    return [*(read_pairs(data, name) for name in SOURCES), glosses[:GLOSSES]]


def split(sources: Sequence[Sequence[Pair]]) -> tuple[list[list[Pair]], list[list[Pair]]]:
    """Of each source the pairs to learn, and those whose passages are held out."""
    masks = [held_out([pair.positive for pair in source]) for source in sources]
    parts = [
        [[pair for pair, out in zip(source, mask, strict=True) if out == side] for side in (False, True)]
        for source, mask in zip(sources, masks, strict=True)
    ]
    return [learned for learned, _ in parts], [unseen for _, unseen in parts]


def train(sources: Sequence[Sequence[Pair]], work: Path, out: Path) -> None:
    """model.safetensors and the tokenizer: a part of the whole model, fitted to it and taught."""
    save_whole(sources, work / "whole")
    examples = make_examples(sources)
    whole: Bert = TwinBert.from_pretrained(work / "whole", dtype=torch.float32)
    model = smaller(whole.eval(), examples, Tokens.of(work / "whole", examples), RECIPE)[0]
    save_tokenizer(TEACHER, english_vocabulary(TEACHER), out, MAX_LENGTH)
    save_torch(model, out)


def smaller(whole: Bert, examples: Examples, tokens: Tokens, recipe: Recipe) -> tuple[Bert, Taught]:
    """What the recipe makes of the whole model.

    Raises:
        ValueError: the recipe's layers lack the last one, or are not ascending.
    """
    model = prune(whole, calibration(examples, tokens), recipe.cut)
    return model, teach(model, whole, examples, tokens, recipe)


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


def judge(folder: Path, encoder: str, sources: Sequence[Sequence[Pair]]) -> None:
    """quarry.json: how far the scores are to be trusted, by what nobody learned."""
    _, unseen = split(sources)
    save_card(folder, weight=0.0, max_length=MAX_LENGTH)
    labelled = slice(len(SOURCES))
    weight, spread = calibrate(
        load_reranker(folder), load_encoder(encoder), unseen[labelled], sources[labelled]
    )
    save_card(folder, weight=weight, max_length=MAX_LENGTH, spread=spread)


def sample_pairs(tokenizer: Tokenizer, sources: Sequence[Sequence[Pair]]) -> dict[str, Tensor]:
    """Queries with their passages and with others, as the cross-encoder reads them."""
    random_ = random.Random(2)
    chosen = [pair for source in sources for pair in random_.sample(list(source), 12)]
    others = random_.sample(chosen, len(chosen))
    pairs = [(a.query, b.positive[:400]) for a, b in zip(chosen * 2, chosen + others, strict=True)]
    return pair_inputs(tokenizer, pairs)


if __name__ == "__main__":
    main()
