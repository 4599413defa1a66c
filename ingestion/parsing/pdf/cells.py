"""Cells: what stands apart in a row, and which of them are data, periods or list markers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ingestion.parsing.pdf.lines import Segment, merged
from ingestion.parsing.pdf.words import Word

BEFORE_NUMBER = re.compile(r"(?:[A-Z]{1,3})?[$€£¥₩(]{1,2}")
AFTER_NUMBER = re.compile(r"[)%†*]{1,3}|\)%|bps|pts?\.?")
MARKER = re.compile(r"[•●○▪■□◦‣·*–—-]|\(?\d{1,3}[.)]|\(?[a-zA-Z가-하][.)]|\((?:[ivx]{1,5})\)|[①-⑳☐☒☑]")
DATA = re.compile(r"[-–—−+(]*\s*(?:(?:[A-Z]{1,3})?[$€£¥₩])?\s*[-−(]?\d|[-–—−]+$|[nN]/?[aAmM]$")
MONTH = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mär|mai|okt|dez"
PERIOD = re.compile(
    rf"(?:fy ?|q[1-4] ?)?(?:19|20)\d\d[a-z]?\b[()*\d/–-]*$|\d{{1,2}}\.? (?:{MONTH})|(?:19|20)\d\d年|\d{{4}}년"
    r"|\d{1,2} (?:months?|weeks?|days?|quarters?|years?)\b",
    re.IGNORECASE,
)


def cells_of(row: Sequence[Segment]) -> list[Segment]:
    """A row's cells: currency signs and brackets go with their number, list markers with their text."""
    found: list[Segment] = []
    for part in merged(row):
        text = part.text
        if found and AFTER_NUMBER.fullmatch(text) and part.u0 - found[-1].u1 < 3 * part.size:
            found[-1] = Segment([*found[-1].words[:-1], _glued(found[-1].words[-1], part.words[0])])
        elif found and BEFORE_NUMBER.fullmatch(found[-1].text):
            found[-1] = Segment([_glued(found[-1].words[0], part.words[0]), *part.words[1:]])
        elif len(found) == 1 and MARKER.fullmatch(found[0].text) and part.u0 - found[0].u1 < 6 * part.size:
            found[0] = Segment([*found[0].words, *part.words])
        else:
            found.append(part)
    return found


def _glued(first: Word, second: Word) -> Word:
    return Word(first.text + second.text, first.u0, second.u1, second.v, second.size, first.at)


def is_data(text: str) -> bool:
    """Is it a figure rather than a word, or the year or day that stands over figures?"""
    return bool(DATA.match(text)) and not PERIOD.match(text)


def has_data(row: Sequence[Segment]) -> bool:
    return any(is_data(cell.text) for cell in row[1:])
