"""What the two formats of Hancom Office have in common: styles of headings, and numbers of paragraphs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ingestion.parsing.readers.blocks import Block, Paragraph
from ingestion.parsing.readers.counting import Counts, List

OUTLINE_STYLE = re.compile(r"(?:개요|Outline) (\d)")
# Forms of numbers by their codes in the binary format, with their names in the XML format and in Word's.
FORMS = (
    ("DIGIT", "decimal"),
    ("CIRCLED_DIGIT", "decimalEnclosedCircle"),
    ("ROMAN_CAPITAL", "upperRoman"),
    ("ROMAN_SMALL", "lowerRoman"),
    ("LATIN_CAPITAL", "upperLetter"),
    ("LATIN_SMALL", "lowerLetter"),
    ("CIRCLED_LATIN_CAPITAL", "upperLetter"),
    ("CIRCLED_LATIN_SMALL", "lowerLetter"),
    ("HANGUL_SYLLABLE", "ganada"),
    ("CIRCLED_HANGUL_SYLLABLE", "ganada"),
    ("HANGUL_JAMO", "chosung"),
    ("CIRCLED_HANGUL_JAMO", "chosung"),
    ("HANGUL_PHONETIC", "koreanCounting"),
    ("IDEOGRAPH", "japaneseCounting"),
    ("CIRCLED_IDEOGRAPH", "japaneseCounting"),
    ("DECAGON_CIRCLE", "hangulStems"),
)
BY_NAME = {**dict(FORMS), "DECAGON_CIRCLE_HANJA": "ideographTraditional"}


def form_of_code(code: int) -> str:
    return FORMS[code][1] if 0 <= code < len(FORMS) else "decimal"


def pattern(text: str) -> str:
    """Hancom's "^1.^2" as "%1.%2"."""
    return text.replace("^", "%")


@dataclass(slots=True)
class Line:
    """A paragraph as it is read: text, the notes to it, and what is drawn beside it."""

    parts: list[str] = field(default_factory=list)
    asides: list[str] = field(default_factory=list)
    beside: list[Block] = field(default_factory=list)

    def blocks(self, label: str, level: int) -> list[Block]:
        text = "".join(self.parts)
        if label and text.strip():
            text = f"{label} {text.lstrip()}"
        if level:
            notes: list[Block] = [Paragraph("\n".join(self.asides))] if self.asides else []
            return [Paragraph(text, level), *notes, *self.beside]
        return [Paragraph("\n".join([text, *self.asides])), *self.beside]


@dataclass(slots=True)
class Numbers:
    """Counts the paragraphs of a document that are numbered."""

    lists: dict[str, List] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)

    def label(self, list_id: str, level: int) -> str:
        return self.counts.label(self.lists[list_id], level) if list_id in self.lists else ""
