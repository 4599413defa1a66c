"""Word's automatic numbers: "2.1", "Article 3", "(a)", counted as Word counts them.

Source: ISO/IEC 29500-1, 17.9. A list (w:num) takes its levels from an abstract list; all lists of one
abstract list count on together, unless one of them starts anew.
"""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import Element

from ingestion.parsing.readers.counting import Counts, Level, List
from ingestion.parsing.readers.docx_styles import Numbered, Styles, W, number, switched_on, value

LEVELS = 9
NO_LIST = "0"


class Numbering:
    """The lists of a document, and how far each has counted."""

    def __init__(self, root: Element | None, styles: Styles) -> None:
        self._abstract = {a.get(f"{W}abstractNumId", ""): a for a in _all(root, "abstractNum")}
        self._nums = {n.get(f"{W}numId", ""): n for n in _all(root, "num")}
        self._styles = styles
        self._lists: dict[str, List | None] = {}
        self._counts = Counts()

    def label(self, own: Numbered, style: str) -> str:
        """The number of the next paragraph of this style with these properties of its own, or ''."""
        inherited = self._styles.numbered(style)
        list_id = own.list_id or inherited.list_id
        if not list_id or list_id == NO_LIST or (found := self._list(list_id)) is None:
            return ""
        level = own.level
        if level is None:
            level = _level_of_style(found, style) if not own.list_id else None
        if level is None:
            level = inherited.level or 0
        return self._counts.label(found, level)

    def _list(self, list_id: str) -> List | None:
        if list_id not in self._lists:
            self._lists[list_id] = self._read(list_id)
        return self._lists[list_id]

    def _read(self, list_id: str) -> List | None:
        num = self._nums.get(list_id)
        if num is None:
            return None
        abstract = self._resolved(value(num, "abstractNumId"))
        levels = {
            place: _level(e) for place, e in _levels(self._abstract.get(abstract)) if 0 <= place < LEVELS
        }
        starts = {}
        for override in num.findall(f"{W}lvlOverride"):
            place = number(override.get(f"{W}ilvl", "")) or 0
            start = number(value(override, "startOverride"))
            if start is not None:
                starts[place] = start
            for _, element in _levels(override):
                levels[place] = _level(element)
            if start is not None and place in levels:
                levels[place] = replace(levels[place], start=start)
        return List(list_id, abstract, levels, starts)

    def _resolved(self, abstract: str) -> str:
        """The abstract list that has the levels, where one only names a style of lists."""
        link = value(self._abstract.get(abstract), "numStyleLink")
        num = self._nums.get(self._styles.numbered(link).list_id) if link else None
        return value(num, "abstractNumId") or abstract


def _all(root: Element | None, name: str) -> list[Element]:
    return root.findall(f"{W}{name}") if root is not None else []


def _levels(parent: Element | None) -> list[tuple[int, Element]]:
    return [(number(e.get(f"{W}ilvl", "")) or 0, e) for e in _all(parent, "lvl")]


def _level(element: Element) -> Level:
    form = next(element.iter(f"{W}numFmt"), None)  # may be in a choice for newer programs
    start = number(value(element, "start"))
    return Level(
        text=value(element, "lvlText"),
        form=_form(form),
        start=1 if start is None else start,
        restart=number(value(element, "lvlRestart")),
        legal=switched_on(element, "isLgl"),
        style=value(element, "pStyle"),
    )


def _form(element: Element | None) -> str:
    """The form's name; of Word's own kind ("001, 002, ...") the number of figures."""
    if element is None:
        return "decimal"
    name = element.get(f"{W}val", "decimal")
    figures = len(element.get(f"{W}format", "").split(",")[0])
    return f"decimalZero{figures}" if name == "custom" and figures else name


def _level_of_style(found: List, style: str) -> int | None:
    return next((place for place, level in found.levels.items() if level.style == style), None)
