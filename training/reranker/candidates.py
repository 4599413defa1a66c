"""What the cross-encoder is tuned on, in one file that a machine with a GPU can be given.

    python -m training.reranker.candidates --data FOLDER --out candidates.json.gz

Passages of the training data; labelled queries, and phrases of the passages' own sentences without a label;
for each query the passages that BM25 finds, which are its hard candidates.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from retrieval.lexical import Lexical, average_length
from retrieval.types import Passage
from training.bm25 import Bm25
from training.pairs import is_informative, split_sentences
from training.reranker.held_out import shortened
from training.sources import read_glosses, read_pairs

SOURCES = ("medquad", "docs_sections_en", "tfdocs_sections_en")
GLOSSES = 8_000
PHRASES = 60_000
FOUND = 24  # passages for each query
_CHUNK = 500
_UNLABELLED = -1


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder train/ of the data")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json.gz")
    options = parser.parse_args()
    write_candidates(options.data, options.out)


def write_candidates(data: Path, out: Path) -> None:
    """`data`: the folder train/ of the data; `out`: FILE.json.gz."""
    draw = random.Random(0)
    glosses = draw.sample(read_glosses(), GLOSSES)
    pairs = [pair for name in SOURCES for pair in read_pairs(data, name)] + glosses
    numbers: dict[str, int] = {}
    queries, labels = [], []
    for pair in pairs:
        text = shortened(pair.positive)
        queries.append(pair.query)
        labels.append(numbers.setdefault(text, len(numbers)))
    passages = list(numbers)
    phrases = _phrases(passages, draw)
    queries += phrases
    labels += [_UNLABELLED] * len(phrases)
    table = {"passages": passages, "queries": queries, "labels": labels, "found": _found(passages, queries)}
    with gzip.open(out, "wt", encoding="utf-8", compresslevel=6) as file:
        json.dump(table, file, ensure_ascii=False)


def _phrases(passages: Sequence[str], draw: random.Random) -> list[str]:
    """Three to twelve words in a row of a sentence, or a random half of its words."""
    sentences = [
        words
        for passage in passages
        for sentence in split_sentences(passage)
        if is_informative(sentence, least=6) and len(words := sentence.split()) <= 40
    ]
    phrases = []
    for words in draw.sample(sentences, min(PHRASES, len(sentences))):
        size = draw.randint(3, min(12, len(words)))
        if draw.random() < 0.5:
            start = draw.randrange(len(words) - size + 1)
            phrases.append(" ".join(words[start : start + size]))
        else:
            phrases.append(" ".join(words[i] for i in sorted(draw.sample(range(len(words)), size))))
    return phrases


def _found(passages: Sequence[str], queries: Sequence[str]) -> list[list[int]]:
    """The numbers of the passages that BM25 ranks first for each query, best first."""
    texts = [Passage(text) for text in passages]
    bm25 = Bm25(Lexical(average_length=average_length(texts)), texts)
    found: list[list[int]] = []
    for start in range(0, len(queries), _CHUNK):
        scores = bm25.scores(queries[start : start + _CHUNK])
        best = np.argpartition(-scores, FOUND, axis=1)[:, :FOUND]
        order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1)
        found += np.take_along_axis(best, order, axis=1).tolist()
    return found


if __name__ == "__main__":
    main()
