"""Words of Hangul that the layout broke between two syllables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from ingestion.parsing.pdf.blocks import Line

HANGUL_END = re.compile(r"[\uac00-\ud7a3]$")
HANGUL_START = re.compile(r"^[\uac00-\ud7a3]")
HANGUL = re.compile(r"[\uac00-\ud7a3]+")
# Particles and endings; what is left of a word without them is compared.
PARTICLE = re.compile(
    r"(?:에서는|에게는|으로써|으로서|에서|에게|으로|까지|부터|이다|하여|하는|하고|하며|한다|되는|된다"
    r"|[을를은는이가의에도만와과로])$"
)
ENDED = re.compile(  # a word that ends so is whole
    r"(?:.[을를은는의아어]|..[고며면]|..[에와과]|에서|에게|으로|까지|부터|하여|하는|하고|하며|한다|되는|된다|있는|없는)$"
)
ALONE = re.compile("[및등그이저각제년월일수것때또더한두세네몇전후내외위중간]")  # words of one syllable
FULL = 0.85  # of the lines reach the margin: words are broken anywhere
LEAST_LINES = 2


class HangulWords:
    """What a document's lines tell about words at their ends."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines = lines

    def joined(self, before: Line, line: Line) -> bool:
        """Does one word stand across the two lines?"""
        if before.spaced:
            return False
        first, second = HANGUL.findall(before.text)[-1], HANGUL.findall(line.text)[0]
        if _stem(first + second) in self._stems:
            return True
        whole = [_stem(part) in self._stems and len(part) > 1 for part in (first, second)]
        if any(whole) or not self.anywhere:
            return False
        if len(first) == 1:
            return not ALONE.match(first)
        return not (ENDED.search(first) and len(second) > 1)

    @cached_property
    def _stems(self) -> frozenset[str]:
        """Words within lines, without their particles."""
        found: set[str] = set()
        for line in self._lines:
            words = line.text.split(" ")
            inner = [HANGUL.findall(word) for word in words[1:-1]]
            found.update(_stem(word) for words in inner for word in words)
        return frozenset(found)

    @cached_property
    def anywhere(self) -> bool:
        """Are lines broken between any two syllables? They all end within a syllable of the margin then.

        Words that are never broken leave ragged ends, or spaces of very different widths.
        """
        pairs = zip(self._lines, self._lines[1:], strict=False)
        inner = [
            a for a, b in pairs if HANGUL_END.search(a.text) and b.box[0] <= a.box[0] + a.size and a.right
        ]
        full = [line for line in inner if line.right - line.box[2] < 1.1 * line.size]
        gaps = sorted(line.gap / line.size for line in full if line.gap)
        even = not gaps or gaps[int(0.9 * (len(gaps) - 1))] - gaps[len(gaps) // 10] < 0.3
        return len(full) >= LEAST_LINES and len(full) >= FULL * len(inner) and even


def _stem(word: str) -> str:
    stem = PARTICLE.sub("", word)
    return stem if len(stem) > 1 else word
