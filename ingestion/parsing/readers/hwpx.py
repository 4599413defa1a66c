"""HWPX, the zipped XML of Hancom Office (KS X 6101)."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.packages import Package
from ingestion.parsing.readers.xml import local
from ingestion.parsing.types import ParseError

SECTION = re.compile(r"Contents/section(\d+)\.xml", re.IGNORECASE)
OUTLINE = re.compile(r"(?:개요|Outline) (\d)")
SPACES = {"lineBreak": "\n", "tab": "\t", "nbSpace": " ", "fwSpace": " "}
ASIDE = {"footNote", "endNote", "hiddenComment"}


def read(path: Path, builder: TextBuilder) -> None:
    with Package(path, builder.limits) as package:
        package.check()
        sections = sorted((int(m[1]), name) for name in package.names if (m := SECTION.fullmatch(name)))
        if not sections:
            raise ParseError("corrupt")
        styles = _outline_styles(package.xml("Contents/header.xml"))
        facts = _facts(package.xml("Contents/content.hpf"))
        builder.title = facts.get("title", "")
        builder.date = facts.get("ModifiedDate", "") or facts.get("CreatedDate", "")
        for _, name in sections:
            root = package.xml(name)
            for paragraph in root if root is not None else ():
                _add_paragraph(paragraph, styles, builder)


def _facts(root: Element | None) -> dict[str, str]:
    if root is None:
        return {}
    return {element.get("name") or local(element): element.text or "" for element in root.iter()}


def _outline_styles(root: Element | None) -> dict[str, int]:
    """Style id -> heading level, for the styles that Hancom calls 개요 1 to 개요 7."""
    found = {}
    for style in root.iter() if root is not None else ():
        if local(style) == "style" and (
            m := OUTLINE.match(style.get("name", "") or style.get("engName", ""))
        ):
            found[style.get("id", "")] = int(m[1])
    return found


def _add_paragraph(paragraph: Element, styles: dict[str, int], builder: TextBuilder) -> None:
    text = _own_text(paragraph)
    level = styles.get(paragraph.get("styleIDRef", ""))
    if level:
        builder.heading(level, text)
    else:
        builder.paragraph(text)
    for table in _tables(paragraph):
        rows = [
            [_deep_text(cell) for cell in row if local(cell) == "tc"] for row in table if local(row) == "tr"
        ]
        if sum(map(len, rows)) == 1:  # a frame around text
            builder.paragraph(rows[0][0])
        else:
            builder.table(rows)


def _tables(element: Element) -> list[Element]:
    """The outermost tables."""
    found: list[Element] = []
    for child in element:
        found += [child] if local(child) == "tbl" else _tables(child)
    return found


def _own_text(element: Element) -> str:
    """Text of a paragraph and of the boxes in it, without its tables."""
    kind = local(element)
    if kind == "tbl":
        return ""
    parts = [SPACES.get(kind, ""), (element.text or "") if kind == "t" or kind in SPACES else ""]
    for child in element:
        parts.append(_own_text(child))
        if kind == "t":
            parts.append(child.tail or "")
    joined = "".join(parts)
    return (
        joined + "\n"
        if kind == "p"
        else f" ({joined.strip()}) "
        if kind in ASIDE and joined.strip()
        else joined
    )


def _deep_text(cell: Element) -> str:
    return " ".join(t for p in cell.iter() if local(p) == "p" and (t := _own_text(p).strip()))
