"""Lines to running text: which line breaks are the layout's, and whether a word goes on behind one.

A hyphen at a line's end goes only with evidence that the layout put it there: the whole word stands elsewhere
in the document, or a list of the language's words has it and it is no compound; or its first part is no word.
Words of Hangul, which many layouts break between any two syllables without a mark, are judged likewise.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache

from spellchecker import SpellChecker

from ingestion.parsing.language import language_of
from ingestion.parsing.pdf.blocks import Line
from ingestion.parsing.pdf.cells import MARKER
from ingestion.parsing.pdf.hangul import HANGUL_END, HANGUL_START, HangulWords

LISTED = ("en", "de", "es", "fr", "it", "nl", "pt", "ru")  # languages with a frequency list
WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
BEFORE_HYPHEN = re.compile(r"(\S*?)([^\W\d_]+)-$")
AFTER_HYPHEN = re.compile(r"([^\W\d_]+)(\S*)")
NAMES = re.compile(r"[@/\\=&?#_~]|\w\.\w|\d")  # in addresses, paths and codes
SUSPENDED = re.compile(  # "Ein- und Ausgang", "short- and long-term": the hyphen stands for a later word
    r"(?:and|or|to|und|oder|bis|bzw|sowie|et|ou|y|o|u|e|ed|en|of|och|eller|og|i)[,.]?"
)
CJK_END = re.compile(r"[\u3040-\u30ff\u3400-\u9fff、。，]$")
CJK_START = re.compile(r"^[\u3040-\u30ff\u3400-\u9fff]")
SENTENCE_END = re.compile(r"[.!?:;。！？…][\"'”’)\]]*$")
FILLED = 100  # words with smaller counts came to the lists from dictionaries, compounds among them
UNFINISHED = 10  # characters of a line at least that a line in lower case may carry on


class Joiner:
    """Joins the lines of one document, by its own words."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = list(lines)
        self._hangul = HangulWords(self._lines)

    def text(self, lines: Sequence[Line]) -> tuple[str, list[tuple[int, int]]]:
        """The text of a block's lines, and where each line stands in it."""
        text, spans, before = "", [], None
        for line in lines:
            if before is not None:
                text += self._between(before, line, text) if self._runs_on(before, line) else "\n"
                text = _closed(text)
                spans[-1] = spans[-1][0], min(spans[-1][1], len(text))
            spans.append((len(text), len(text) + len(line.text)))
            text += line.text
            before = line
        return text, spans

    def cell(self, text: str) -> str:
        """The lines of a table's cell as one."""
        if "\n" not in text:
            return text
        lines = [Line(part, (0, 0, 0, 0), 1.0) for part in text.split("\n")]
        joined = lines[0].text
        for before, line in zip(lines, lines[1:], strict=False):
            joined = _closed(joined + self._between(before, line, joined)) + line.text
        return joined

    def _runs_on(self, before: Line, line: Line) -> bool:
        """Is the break between the lines the layout's: would the next word not have fitted?"""
        if MARKER.fullmatch(line.text.split(" ", 1)[0]):
            return False
        korean = HANGUL_END.search(before.text) and HANGUL_START.search(line.text)
        anywhere = self._hangul.anywhere if korean else CJK_START.search(line.text)
        head = line.size if anywhere else line.head + 0.25 * line.size
        if before.box[2] + head > before.right - 0.3 * line.size:
            indented = line.box[0] - before.box[0] > 1.2 * line.size
            return not (indented and SENTENCE_END.search(before.text))
        unfinished = before.text[-1].isalpha() or before.text[-1] in "-,"
        return line.text[0].islower() and len(before.text) >= UNFINISHED and unfinished

    def _between(self, before: Line, line: Line, text: str) -> str:
        """What stands between two lines of one paragraph; a NUL asks to take the hyphen away."""
        if text[-1] == "-" and not before.spaced:
            return self._behind_hyphen(text.rsplit(None, 1)[-1], line.text.split(" ", 1)[0])
        if HANGUL_END.search(text) and HANGUL_START.search(line.text):
            return "" if self._hangul.joined(before, line) else " "
        if CJK_END.search(text) and CJK_START.search(line.text):
            return ""
        return " "

    def _behind_hyphen(self, head: str, tail: str) -> str:
        first, second = BEFORE_HYPHEN.search(head), AFTER_HYPHEN.match(tail)
        if not head.strip("-") or SUSPENDED.fullmatch(tail.lower()):
            return " "
        if not first or not second or NAMES.search(first[1]) or NAMES.search(second[2]):
            return ""
        return "\x00" if self._one_word(first[2], second[1], compound=bool(first[1])) else ""

    def _one_word(self, first: str, second: str, *, compound: bool) -> bool:
        """Did the layout divide `first + second`?"""
        capitals = first.isupper() and second.isupper() and len(first) > 2
        if len(first) < 2 or not (second.islower() or capitals):
            return False
        head, tail = first.lower(), second.lower()
        if f"{head}-{tail}" in self._words:
            return False
        if head + tail in self._words:
            return True
        counts = _frequencies(self._language)
        whole, parts = counts.get(head + tail, 0), min(counts.get(head, 0), counts.get(tail, 0))
        if whole and (not parts or whole > FILLED):
            return True
        known = [part in counts or part in self._words for part in (head, tail)]
        if self._language == "de" and first[0].isupper():  # a compound with a hyphen has a second capital
            return True
        return not known[0] and (not known[1] or self._language == "de") and not compound

    @cached_property
    def _words(self) -> frozenset[str]:
        """The document's words in lower case, without those that stand at a hyphen at a line's end."""
        found: set[str] = set()
        before_hyphen = False
        for line in self._lines:
            words = [match.group().lower() for match in WORD.finditer(line.text)]
            if before_hyphen and words:
                words.pop(0)
            before_hyphen = line.text.endswith("-")
            if before_hyphen and words:
                words.pop()
            found.update(words)
        return frozenset(found)

    @cached_property
    def _language(self) -> str:
        sample = " ".join(line.text for line in self._lines[:400])
        return language_of(sample, lambda _: "")


def _closed(text: str) -> str:
    """The text without a hyphen that is asked to go."""
    return text[:-2] if text.endswith("\x00") else text


@lru_cache(maxsize=2)
def _frequencies(language: str) -> dict[str, int]:
    """How often each word of a language stands in film subtitles; empty where no list is known."""
    if language not in LISTED:
        return {}
    return dict(SpellChecker(language=language).word_frequency.dictionary)
