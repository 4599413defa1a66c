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
from training.reranker.calibrate import calibrate
from training.reranker.candidates import GLOSSES, SOURCES, write_candidates
from training.reranker.export import save_card, save_onnx, save_torch
from training.reranker.held_out import held_out, shortened
from training.reranker.layers import Bert
from training.reranker.lists import calibration, pair_inputs, plain_tokenizer, read_lists
from training.reranker.prune import Cut, prune
from training.reranker.vocabulary import english_vocabulary, save_tokenizer
from training.reranker.whole import make_whole
from training.sources import Pair, read_glosses, read_pairs
from training.teacher import FOLDER as TEACHER

MAX_LENGTH = 320
CUT = Cut(feed_forward=768)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder train/ of the data")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    parser.add_argument("--work", type=Path, default=Path("data/reranker"), help="what is made on the way")
    parser.add_argument("--encoder", default="models/encoder", help="finds the candidates to calibrate with")
    parser.add_argument("--export-only", action="store_true", help="INT8 anew from the folder's weights")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    sources = read_sources(arguments.data)
    if not arguments.export_only:
        train(arguments.data, sources, arguments.work, arguments.out)
    export(arguments.out, sources)
    if not arguments.export_only:
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


def train(data: Path, sources: Sequence[Sequence[Pair]], work: Path, out: Path) -> None:
    """model.safetensors and the tokenizer: what `CUT` leaves of the whole model, fitted to it."""
    whole, candidates = work / "whole", work / "candidates.json.gz"
    save_whole(sources, whole)
    if not candidates.exists():
        write_candidates(data, candidates)
    model: Bert = TwinBert.from_pretrained(whole, dtype=torch.float32)
    model = prune(model.eval(), calibration(*read_lists(whole, candidates)), CUT)
    save_tokenizer(TEACHER, english_vocabulary(TEACHER), out, MAX_LENGTH)
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
