"""Self-supervised pairs from a corpus's own passages: no queries, no judgements."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from retrieval.types import Passage

# Latin sentences end before white space, Chinese and Japanese ones need none. Lines are sentences too.
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\s*\n\s*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3]")
_SENTENCES_PER_PASSAGE = 6

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SelfPair:
    """A text in place of a query, and the passage it came from without it. `group` numbers the passage."""

    query: str
    passage: str
    group: int


def pairs_of(passage: Passage, group: int, random_: random.Random) -> Iterator[SelfPair]:
    """Title to text, heading to section, and up to six sentences, each to the rest of its passage.

    What the query says is taken out of the passage, or word overlap alone would be learned.
    """
    sentences = split_sentences(passage.text)
    for label in dict.fromkeys((passage.title, passage.heading.rsplit(" > ", 1)[-1])):
        if not is_informative(label, least=2):
            continue
        if rest := [sentence for sentence in sentences if _key(sentence) != _key(label)]:
            yield SelfPair(label, " ".join(rest), group)
    choices = [i for i, sentence in enumerate(sentences) if is_informative(sentence, least=4)]
    if len(sentences) < 2:
        return
    for i in random_.sample(choices, min(_SENTENCES_PER_PASSAGE, len(choices))):
        rest = sentences[:i] + sentences[i + 1 :]
        yield SelfPair(sentences[i], "\n".join(filter(None, [passage.context, " ".join(rest)])), group)


def split_sentences(text: str) -> list[str]:
    """The sentences and lines of `text`, in order, none empty."""
    return [sentence for part in _SENTENCE_END.split(text) if (sentence := part.strip())]


def is_informative(text: str, *, least: int) -> bool:
    """Whether `text` has `least` words, counting two characters of Chinese, Japanese or Korean as one."""
    return len(text.split()) >= least or len(_CJK.findall(text)) >= 2 * least


def sample_pairs(passages: Sequence[tuple[int, Passage]], *, limit: int, seed: int) -> list[SelfPair]:
    """Up to `limit` pairs of the numbered passages, drawn evenly; the same seed gives the same pairs.

    No more than those are ever held, since each holds most of a passage.
    """
    random_ = random.Random(seed)
    pairs = (pair for group, passage in passages for pair in pairs_of(passage, group, random_))
    return sample(pairs, limit, random.Random(seed))[0]


def sample(items: Iterable[T], limit: int, draw: random.Random) -> tuple[list[T], int]:
    """Up to `limit` items, equally likely (reservoir sampling, Vitter 1985), and how many there were."""
    kept: list[T] = []
    total = 0
    for item in items:
        total += 1
        if len(kept) < limit:
            kept.append(item)
        elif (place := draw.randrange(total)) < limit:
            kept[place] = item
    return kept, total


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))
