"""Number formats of spreadsheets: a stored number as people see it in its cell, 0.25 as "25%".

The codes are those of ECMA-376, part 1, 18.8.31. Names of months and days are English, and a date in "the
system's own form" is ISO 8601, because the file does not say where its reader lives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from operator import eq, ge, gt, le, lt, ne

from ingestion.parsing.readers.cell_dates import DATE_PARTS, shown_date
from ingestion.parsing.readers.cell_numbers import general, shown_fraction, shown_number

BUILT_IN = {
    0: "General", 1: "0", 2: "0.00", 3: "#,##0", 4: "#,##0.00", 5: "$#,##0;-$#,##0", 6: "$#,##0;-$#,##0",
    7: "$#,##0.00;-$#,##0.00", 8: "$#,##0.00;-$#,##0.00", 9: "0%", 10: "0.00%", 11: "0.00E+00", 12: "# ?/?",
    13: "# ??/??", 14: "yyyy-mm-dd", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM", 20: "h:mm", 21: "h:mm:ss", 22: "yyyy-mm-dd h:mm", 37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)", 39: "#,##0.00;(#,##0.00)", 40: "#,##0.00;(#,##0.00)", 41: "#,##0;-#,##0;-",
    42: "$#,##0;-$#,##0;$-", 43: "#,##0.00;-#,##0.00;-", 44: "$#,##0.00;-$#,##0.00;$-", 45: "mm:ss",
    46: "[h]:mm:ss", 47: "mm:ss.0", 48: "##0.0E+0", 49: "@",
    # What East Asian editions add: dates but for the times 32 and 33.
    **dict.fromkeys([*range(27, 37), *range(50, 59)], "yyyy-mm-dd"), 32: "h:mm", 33: "h:mm:ss",
}  # fmt: skip
TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<width>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    r"|(?P<noon>AM/PM|A/P)|(?P<general>General|Standard|G/표준|G/通用格式|G/標準)|(?P<power>E[+-])"
    r"|(?P<date>y+|m+|d+|h+|s+|g+|e+|b+|aaaa?)|(?P<other>.)",
    re.IGNORECASE | re.DOTALL,
)
CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
COMPARISONS = {"<": lt, "<=": le, ">": gt, ">=": ge, "=": eq, "<>": ne}
ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
CURRENCY = re.compile(r"\$([^-]*)(?:-.*)?")
LONGEST_CODE = 1000  # characters; Excel allows 255


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a format: literal text, a date part, or a single placeholder such as 0."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Section:
    """The form of some of the numbers, or of text."""

    parts: tuple[Part, ...]
    condition: tuple[str, float] | None
    kind: str  # general, text, date, fraction or number

    def holds(self, value: float) -> bool:
        return self.condition is not None and bool(COMPARISONS[self.condition[0]](value, self.condition[1]))


def shown(value: float, code: str, *, from_1904: bool = False) -> str:
    """A number in the form that `code` gives it. What has no form, as a date before 1900, stays a number."""
    if not isfinite(value):
        return str(value)
    section, is_signed = _section_of(value, _sections(code[:LONGEST_CODE]))
    if section.kind == "general" or abs(value) >= 1e15:
        return _around_general(section, value if is_signed else abs(value))
    if section.kind == "date":
        text = shown_date(value, section.parts, from_1904=from_1904)
        return general(value) if text is None else text.strip()
    exact = Decimal(f"{value:.15g}")  # Excel knows 15 digits
    form = shown_fraction if section.kind == "fraction" else shown_number
    return form(exact if is_signed else abs(exact), section.parts).strip()


def shown_text(text: str, code: str) -> str:
    """A text in the form of its cell, whose fourth section, or only one, may put words around it."""
    if "@" not in code:
        return text
    sections = _sections(code[:LONGEST_CODE])
    section = sections[3] if len(sections) > 3 else sections[-1]
    if section.kind != "text":
        return text
    return "".join(text if part.kind == "@" else part.text for part in section.parts).strip()


@lru_cache(maxsize=2000)
def _sections(code: str) -> tuple[Section, ...]:
    sections: list[Section] = []
    parts: list[Part] = []
    condition: tuple[str, float] | None = None
    for match in TOKEN.finditer(code or "General"):
        kind, text = match.lastgroup or "", match[match.lastgroup or 0]
        if kind == "other" and text == ";":
            sections.append(_section(parts, condition))
            parts, condition = [], None
        elif kind == "bracket" and (found := CONDITION.fullmatch(text.strip())):
            condition = (found[1], float(found[2]))
        elif part := _part(kind, text):
            parts.append(part)
    return (*sections, _section(parts, condition))


def _part(kind: str, text: str) -> Part | None:
    """What shows of a token; colours, languages and fillings show nothing."""
    if kind == "bracket":
        if ELAPSED.fullmatch(text):
            return Part("elapsed", text.lower())
        currency = CURRENCY.fullmatch(text)
        return Part("literal", currency[1]) if currency else None
    if kind in {"date", "noon", "power", "general"}:
        return Part(kind, text)
    if kind == "other" and text in "0#?.,%@/":
        return Part(text, text)
    if kind == "width":
        return Part("literal", " ")
    return Part("literal", text) if kind != "fill" else None


def _section(parts: list[Part], condition: tuple[str, float] | None) -> Section:
    kinds = [part.kind for part in parts]
    if "general" in kinds:
        kind = "general"
    elif "@" in kinds:
        kind = "text"
    elif DATE_PARTS.intersection(kinds):
        kind = "date"
    elif "/" in kinds and kinds.index("/") > 0 and {"0", "#", "?"}.intersection(kinds):
        kind = "fraction"
    else:
        kind = "number"
    return Section(tuple(parts), condition, kind)


def _section_of(value: float, sections: tuple[Section, ...]) -> tuple[Section, bool]:
    """The section for a number, and whether its sign is shown beside it."""
    if any(section.condition for section in sections):
        found = next((section for section in sections[:3] if section.holds(value)), None)
        rest = [section for section in sections[:3] if section.condition is None]
        return found or (rest[-1] if rest else sections[-1]), True
    numbers = [s for s in sections[:3] if s.kind != "text"] or [Section((), None, "general")]
    if value < 0 and len(numbers) > 1:
        return numbers[1], False
    return (numbers[2] if value == 0 and len(numbers) > 2 else numbers[0]), True


def _around_general(section: Section, value: float) -> str:
    number = general(value)
    if not section.parts:
        return number
    return "".join(number if part.kind == "general" else part.text for part in section.parts).strip()
