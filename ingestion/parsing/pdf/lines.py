"""Words side by side become segments, segments on one baseline become lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ingestion.parsing.pdf.blocks import Block
from ingestion.parsing.pdf.frames import Box
from ingestion.parsing.pdf.words import Word

GAP = 0.9  # ems; what is farther apart may be two cells or two columns
ASCENT, DESCENT = 0.85, 0.25  # of the size: what a line covers above and below its baseline
RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff]")
CJK = r"\u3000-\u30ff\u3400-\u9fff\uf900-\ufaff\uff00-\uffef"
CURRENCY = re.compile(r"(?:[A-Z]{1,3})?[$€£¥₩]")
SPACELESS = re.compile(rf"[{CJK}]")


class Segment:
    """Words of one baseline that stand close together, or a whole table in their place."""

    __slots__ = ("size", "table", "u0", "u1", "v", "words")

    def __init__(self, words: list[Word]) -> None:
        self.words = words
        self.table: Block | None = None
        largest = max(words, key=lambda word: (word.size, len(word.text)))
        self.size, self.v = largest.size, largest.v
        self.u0, self.u1 = min(w.u0 for w in words), max(w.u1 for w in words)

    @classmethod
    def of_table(cls, table: Block, box: Box) -> Segment:
        segment = cls([Word("", box[0], box[2], box[1], 1.0)])
        segment.table = table
        return segment

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)

    @property
    def top(self) -> float:
        return self.v - ASCENT * self.size

    @property
    def bottom(self) -> float:
        return self.v + DESCENT * self.size


def segments(words: Sequence[Word]) -> list[Segment]:
    """Words in the order of the file, cut where a line ends or a wide gap stands."""
    found: list[list[Word]] = []
    before: Word | None = None
    for word in words:
        if before and _goes_on(before, word):
            found[-1].append(word)
        else:
            found.append([word])
        before = word
    return [Segment(group) for group in found]


def _goes_on(before: Word, word: Word) -> bool:
    size = max(before.size, word.size)
    if abs(word.v - before.v) > 0.45 * size:
        return False
    gap = word.u0 - before.u1
    if RIGHT_TO_LEFT.match(word.text):
        gap = max(gap, before.u0 - word.u1) if word.u1 <= before.u0 + 1 else gap
    return -0.5 * size < gap < _limit(word) * size


def _limit(word: Word) -> float:
    """Ems to the word before it that still join them; a lone currency sign often begins a cell."""
    return GAP / 2 if CURRENCY.fullmatch(word.text) else GAP


def rows(parts: Iterable[Segment]) -> list[list[Segment]]:
    """Segments by baseline from the top down, each row in the direction of its script."""
    found: list[list[Segment]] = []
    base = size = 0.0
    for part in sorted(parts, key=lambda s: (s.v, s.u0)):
        if found and abs(part.v - base) < 0.4 * min(max(part.size, size), 2 * min(part.size, size)):
            found[-1].append(part)
            if part.size > size:
                base, size = part.v, part.size
        else:
            found.append([part])
            base, size = part.v, part.size
    for row in found:
        leftward = 2 * sum(bool(RIGHT_TO_LEFT.search(s.text)) for s in row) > len(row)
        row.sort(key=lambda s: -s.u1 if leftward else s.u0)
    return found


def merged(row: Sequence[Segment]) -> list[Segment]:
    """A row's segments, joined where little lies between them."""
    found: list[Segment] = []
    for part in row:
        if found and part.u0 - found[-1].u1 < _limit(part.words[0]) * max(part.size, found[-1].size):
            found[-1] = Segment([*found[-1].words, *part.words])
        else:
            found.append(part)
    return found


def box_of(parts: Sequence[Segment]) -> Box:
    return (
        min(s.u0 for s in parts),
        min(s.top for s in parts),
        max(s.u1 for s in parts),
        max(s.bottom for s in parts),
    )
