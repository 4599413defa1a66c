"""Counting the automatic numbers of lists and headings, as office programs do."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingestion.parsing.readers.numerals import numeral

PLACE = re.compile(r"%([1-9])")
BULLET = "•"


@dataclass(frozen=True, slots=True)
class Level:
    """How one level of a list counts and looks."""

    text: str  # "%1.%2"
    form: str = "decimal"
    start: int = 1
    restart: int | None = None  # counts anew after this level (1 is the outermost); None: after any above it
    legal: bool = False  # shows the levels above in figures
    style: str = ""


@dataclass(frozen=True, slots=True)
class List:
    """A list; all that name the same counter count on together, unless one of them starts anew."""

    id: str
    counter: str
    levels: dict[int, Level]  # from 0, the outermost
    starts: dict[int, int]  # level -> where this list starts anew


class Counts:
    """How far each list of a document has counted."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, int]] = {}  # counter -> level -> last number
        self._begun: set[tuple[str, int]] = set()

    def label(self, found: List, level: int) -> str:
        """Count one on in a level of a list, and show it; '' for levels that the list does not have."""
        return _shown(found, level, self._count(found, level)) if level in found.levels else ""

    def _count(self, found: List, level: int) -> dict[int, int]:
        """Count one on, and forget the levels below."""
        counts = self._counts.setdefault(found.counter, {})
        if level in found.starts and (found.id, level) not in self._begun:
            counts[level] = found.starts[level]
        else:
            counts[level] = counts[level] + 1 if level in counts else found.levels[level].start
        self._begun.add((found.id, level))
        for below in [other for other in counts if other > level]:
            restart = found.levels[below].restart if below in found.levels else None
            if restart is None or (restart and level < restart):
                del counts[below]
        return counts


def _shown(found: List, level: int, counts: dict[int, int]) -> str:
    """A level's text with the numbers of the levels that it names."""
    this = found.levels[level]
    if this.form == "bullet":
        return BULLET

    def figure(match: re.Match[str]) -> str:
        place = int(match[1]) - 1
        if place not in found.levels or place > level:
            return ""
        of = found.levels[place]
        form = "decimal" if this.legal else of.form
        return "" if form in {"none", "bullet"} else numeral(counts.get(place, of.start), form)

    return PLACE.sub(figure, this.text).strip()
