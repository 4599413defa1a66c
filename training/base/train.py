"""Remake the shipped base model: `make train-base`. Start table, distillation, contrastive training."""

from __future__ import annotations

import argparse
import hashlib
import random
import re
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from retrieval.types import FloatArray, Passage
from training.bags import BagMaker, unit
from training.base import sources, teacher
from training.base.distill import distill
from training.base.start import make_tokenizer, principal_axes, start_table
from training.contrastive import PairBags, TrainingPlan, train
from training.pairs import sample_pairs
from training.static_model import StaticModel, write_model

# A sharper temperature than adapting's: here the passages are of many subjects.
_PLAN = TrainingPlan(epochs=2, learning_rate=0.05, temperature=0.05)
_SELF_PAIRS = 60_000
_CHUNK = 2_000
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="the training data folder")
    parser.add_argument("--output", type=Path, required=True, help="the model folder to write")
    parser.add_argument("--cache", type=Path, required=True, help="where the teacher's vectors are kept")
    arguments = parser.parse_args()
    started = time.monotonic()
    write_model(make_model(arguments.data, arguments.cache, seed=0), arguments.output, np.float16)
    print(f"{arguments.output} made in {time.monotonic() - started:.0f} s")


def make_model(data: Path, cache: Path, *, seed: int) -> StaticModel:
    """The base model from the training data folder and the packages of the `train` extra."""
    names = sources.ENGLISH_PAIRS + sources.KOREAN_PAIRS + sources.OTHER_PAIRS
    pairs = {name: sources.read_pairs(data, name) for name in names}
    korean = sources.read_korean_texts(data)
    glosses = sources.read_glosses()
    tokenizer, counts = _vocabulary(pairs, korean, glosses)
    bags = BagMaker(tokenizer)

    texts = teacher_texts(pairs, glosses)
    vectors = cached_teacher_vectors(texts, cache)
    known = dict(zip(teacher.vocabulary(), teacher.piece_vectors(teacher.vocabulary()), strict=True))
    rows = np.stack([known[piece] for piece in tokenizer.get_vocab() if piece in known])
    mean, axes = rows.mean(axis=0), principal_axes(rows - rows.mean(axis=0))
    table = start_table(
        tokenizer, {piece: row - mean for piece, row in known.items()}, counts, axes, seed=seed
    )

    targets = unit(vectors - vectors.mean(axis=0)) @ axes
    distill(table, bags(texts, max_tokens=200), targets, epochs=5, seed=seed, progress=_Say("distil"))
    train(table, _all_pairs(bags, pairs, korean, seed=seed), _PLAN, seed=seed, progress=_Say("contrast"))
    return StaticModel(tokenizer, table)


def teacher_texts(pairs: dict[str, list[sources.Pair]], glosses: Sequence[sources.Pair]) -> list[str]:
    """46,000 English texts of all kinds for the teacher to encode: what minutes on a CPU allow."""
    draw = random.Random(0)
    english = [pair for name in sources.ENGLISH_PAIRS for pair in pairs[name]]
    long = [pair for name in sources.ENGLISH_PAIRS if name != "covid_faq" for pair in pairs[name]]
    definitions = [f"{pair.query}: {pair.positive}" for pair in glosses]
    passages = [pair.positive[:500] for pair in english]
    sentences = [
        sentence
        for pair in long
        for sentence in _SENTENCE_END.split(pair.positive)[1:12]
        if 40 < len(sentence) < 300
    ]
    queries = list(dict.fromkeys(pair.query for pair in english))
    translated = list(dict.fromkeys(pair.positive[:300] for pair in pairs["tfdocs_parallel_ko_en"]))
    for texts in (definitions, passages, sentences, queries):
        draw.shuffle(texts)
    return definitions[:16_000] + queries[:16_000] + translated[:8_000] + passages[:2_000] + sentences[:4_000]


def cached_teacher_vectors(texts: Sequence[str], cache: Path) -> FloatArray:
    """(texts, 384) float32; each finished chunk is kept in `cache`, so that an interrupted run goes on."""
    cache.mkdir(parents=True, exist_ok=True)
    chunks = []
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        file = cache / f"{hashlib.sha256(chr(0).join(chunk).encode()).hexdigest()[:24]}.npy"
        if not file.is_file():
            np.save(file, teacher.sentence_vectors(chunk).astype(np.float16))
            print(f"teacher: {start + len(chunk)} of {len(texts)} texts")
        chunks.append(np.load(file).astype(np.float32))
    return np.concatenate(chunks)


def _vocabulary(
    pairs: dict[str, list[sources.Pair]], korean: list[str], glosses: Sequence[sources.Pair]
) -> tuple[Tokenizer, FloatArray]:
    """The tokenizer, and how often the training texts hold each of its tokens."""

    def texts_of(*names: str) -> list[str]:
        return [text for name in names for pair in pairs[name] for text in (pair.query, pair.positive)]

    parallel = pairs["tfdocs_parallel_ko_en"]
    english = texts_of(*sources.ENGLISH_PAIRS) + [pair.positive for pair in parallel]
    english += [f"{pair.query} {pair.positive}" for pair in glosses]
    korean = korean + texts_of("korean_mixed", "tfdocs_sections_ko") + [pair.query for pair in parallel]
    others = texts_of(*sources.OTHER_PAIRS)
    tokenizer = make_tokenizer(teacher.vocabulary(), english, korean, others)
    counts = BagMaker(tokenizer)(english + korean + others, max_tokens=256).sum(axis=0)
    return tokenizer, np.asarray(counts, dtype=np.float32).ravel()


def _all_pairs(
    bags: BagMaker, pairs: dict[str, list[sources.Pair]], korean: Sequence[str], *, seed: int
) -> PairBags:
    """The data folder's pairs, and self-supervised ones of its Korean, Japanese and Chinese passages."""
    chosen = []
    for rows in pairs.values():
        # "Overview", "Setup" and their like say nothing about the passage.
        seen = Counter(pair.query for pair in rows)
        chosen += [pair for pair in rows if seen[pair.query] <= 3]
    numbers: dict[str, int] = {}
    groups = [numbers.setdefault(pair.positive[:200], len(numbers)) for pair in chosen]
    plain = [text for text in korean if len(text) > 150]
    plain += [pair.positive for name in sources.OTHER_PAIRS for pair in pairs[name]]
    passages = [(len(numbers) + i, Passage(text=text)) for i, text in enumerate(plain)]
    own = sample_pairs(passages, limit=_SELF_PAIRS, seed=seed)
    return PairBags(
        queries=bags([*(p.query for p in chosen), *(p.query for p in own)], max_tokens=128),
        passages=bags([*(p.positive for p in chosen), *(p.passage for p in own)], max_tokens=300),
        groups=np.array(groups + [pair.group for pair in own]),
    )


class _Say:
    """Prints a line at every tenth of the work."""

    def __init__(self, stage: str) -> None:
        self._stage, self._printed = stage, -1

    def __call__(self, share: float, loss: float) -> None:
        if (tenth := int(share * 10)) > self._printed:
            self._printed = tenth
            print(f"{self._stage}: {tenth * 10} %, loss {loss:.3f}", flush=True)


if __name__ == "__main__":
    main()
