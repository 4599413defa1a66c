"""Make the shipped cross-encoder: `python -m training.reranker.train --data FOLDER --out models/reranker`."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertForSequenceClassification

from retrieval.encoder import load_encoder
from retrieval.reranker import load_reranker
from training.reranker.calibrate import calibrate
from training.reranker.candidates import GLOSSES, SOURCES
from training.reranker.distil import Schedule, Texts, distil, fast
from training.reranker.export import save_card, save_onnx, save_torch
from training.reranker.graft import graft
from training.reranker.held_out import held_out
from training.reranker.pairs import PairSchedule, pair_inputs, tune
from training.reranker.student import Bert, hold_marks, load_teacher, make_student
from training.reranker.vocabulary import english_vocabulary, save_tokenizer
from training.sources import Pair, read_glosses, read_pairs
from training.teacher import FOLDER as TEACHER

VOCABULARY = 15_200
MAX_LENGTH = 320


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the folder train/ of the data")
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    parser.add_argument("--steps", type=int, default=1500, help="of teaching the student")
    parser.add_argument("--pair-steps", type=int, default=300, help="of tuning the cross-encoder")
    parser.add_argument("--encoder", default="models/encoder", help="finds the candidates to calibrate with")
    parser.add_argument("--export-only", action="store_true", help="INT8 anew from the folder's weights")
    arguments = parser.parse_args()
    torch.manual_seed(0)
    sources = read_sources(arguments.data)
    if arguments.export_only:
        export(arguments.out, sources)
        return
    learned, unseen = split(sources)
    train(learned, arguments.out, arguments.steps, arguments.pair_steps)
    save_card(arguments.out, weight=0.0, max_length=MAX_LENGTH)
    encoder = load_encoder(arguments.encoder)
    reranker = load_reranker(arguments.out)
    weight, spread = calibrate(reranker, encoder, unseen[: len(SOURCES)], sources[: len(SOURCES)])
    save_card(arguments.out, weight=weight, max_length=MAX_LENGTH, spread=spread)


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


def train(sources: Sequence[Sequence[Pair]], out: Path, steps: int, pair_steps: int) -> None:
    """Vocabulary, student, cross-encoder, and the folder's files but the card."""
    texts = [text for source in sources for pair in source[::5] for text in (pair.query, pair.positive)]
    rows = english_vocabulary(TEACHER, texts, VOCABULARY)
    save_tokenizer(TEACHER, rows, out, MAX_LENGTH)
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    readers = Texts(Tokenizer.from_file(str(TEACHER / "tokenizer.json")), tokenizer)
    teacher = load_teacher(TEACHER)
    with fast():
        student, marks = make_student(teacher, rows, _samples(readers, sources))
    hold_marks(student, marks)
    distil(student, marks, teacher, readers, sources, Schedule(steps=steps))
    pairs = sample_pairs(tokenizer, sources)
    model = graft(student, marks, pairs)
    tune(model, teacher, readers, tokenizer, sources, PairSchedule(steps=pair_steps))
    save(model, out, pairs)


def export(folder: Path, sources: Sequence[Sequence[Pair]]) -> None:
    """onnx/model_int8.onnx from model.safetensors, once that was tuned."""
    model: Bert = BertForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    save_onnx(
        model.eval(), folder, sample_pairs(Tokenizer.from_file(str(folder / "tokenizer.json")), sources)
    )


def save(model: Bert, out: Path, sample: dict[str, Tensor]) -> None:
    """All that holds weights."""
    # First what torch loads: both files then come from the same, rounded weights.
    save_torch(model, out)
    save_onnx(model, out, sample)


def _samples(readers: Texts, sources: Sequence[Sequence[Pair]]) -> list[dict[str, Tensor]]:
    """About 17,000 tokens, long and short texts apart."""
    random_ = random.Random(1)
    labelled = [source for source in sources if len(source) > 100]
    passages = [pair.positive for source in labelled for pair in random_.sample(list(source), 90)]
    queries = [pair.query for source in labelled for pair in random_.sample(list(source), 100)]
    long = [text for text in passages if len(text) > 200]
    return [readers.for_teacher(long, 56), readers.for_teacher(queries, 14)]


def sample_pairs(tokenizer: Tokenizer, sources: Sequence[Sequence[Pair]]) -> dict[str, Tensor]:
    """Queries with their passages and with others, as the cross-encoder reads them."""
    random_ = random.Random(2)
    chosen = [pair for source in sources for pair in random_.sample(list(source), 12)]
    others = random_.sample(chosen, len(chosen))
    pairs = [(a.query, b.positive[:400]) for a, b in zip(chosen * 2, chosen + others, strict=True)]
    return pair_inputs(tokenizer, pairs)


if __name__ == "__main__":
    main()
