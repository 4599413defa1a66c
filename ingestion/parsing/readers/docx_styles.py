"""Word's paragraph styles: which are headings, and which are numbered."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
VAL = f"{W}val"
HEADING = re.compile(r"heading ([1-9])", re.IGNORECASE)
BODY_LEVEL = 9  # an outline level that is none
OFF = {"0", "false", "off", "none"}


@dataclass(frozen=True, slots=True)
class Numbered:
    """A paragraph's place in lists: the list's id ('' where it does not say), its level or None."""

    list_id: str = ""
    level: int | None = None


def value(parent: Element | None, name: str) -> str:
    """The w:val of a child, '' where there is none."""
    child = parent.find(f"{W}{name}") if parent is not None else None
    return child.get(VAL, "") if child is not None else ""


def switched_on(parent: Element | None, name: str) -> bool:
    """Whether a property without a value, or with a true one, is there."""
    child = parent.find(f"{W}{name}") if parent is not None else None
    return child is not None and child.get(VAL, "1") not in OFF


def number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"-?\d{1,9}", text) else None


def numbered(properties: Element | None) -> Numbered:
    """What w:pPr says of lists."""
    found = properties.find(f"{W}numPr") if properties is not None else None
    return Numbered(value(found, "numId"), number(value(found, "ilvl")))


class Styles:
    """The styles of a document by their ids."""

    def __init__(self, root: Element | None) -> None:
        styles = root.findall(f"{W}style") if root is not None else []
        self._styles = {style.get(f"{W}styleId", ""): style for style in styles}
        self._default = next(
            (
                style.get(f"{W}styleId", "")
                for style in styles
                if style.get(f"{W}type") == "paragraph" and style.get(f"{W}default", "0") not in OFF
            ),
            "",
        )

    def of(self, properties: Element | None) -> str:
        """The id of the style that a paragraph with this w:pPr has."""
        return value(properties, "pStyle") or self._default

    def heading_level(self, style: str) -> int:
        """1 to 9, or 0 where paragraphs of this style are no headings."""
        for ancestor in self._chain(style):
            outline = number(value(ancestor.find(f"{W}pPr"), "outlineLvl"))
            if outline is not None:
                return outline + 1 if 0 <= outline < BODY_LEVEL else 0
            name = value(ancestor, "name")
            if match := HEADING.fullmatch(name):
                return int(match[1])
            if name.lower() == "title":
                return 1
        return 0

    def numbered(self, style: str) -> Numbered:
        """The nearest list of a style, and the nearest level."""
        list_id, level = "", None
        for ancestor in self._chain(style):
            found = numbered(ancestor.find(f"{W}pPr"))
            list_id = list_id or found.list_id
            level = found.level if level is None else level
        return Numbered(list_id, level)

    def _chain(self, style: str) -> Iterator[Element]:
        """A style and those that it is based on; a circle ends."""
        seen: set[str] = set()
        while style in self._styles and style not in seen:
            seen.add(style)
            yield self._styles[style]
            style = value(self._styles[style], "basedOn")
