"""OpenDocument text: headings, lists with their numbers, tables, notes, comments, frames, page headers.

Own code, because kreuzberg leaves out sections, nested lists and frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.packages import Package
from ingestion.parsing.readers.xml import local
from ingestion.parsing.types import ParseError

SPACES = {"s": " ", "tab": "\t", "line-break": "\n"}
SILENT = {
    "tracked-changes",
    "forms",
    "sequence-decls",
    "note-citation",
    "ruby-text",
    "title",
    "desc",
    "page-number",
}
ASIDE = {"note", "annotation", "frame", "custom-shape", "rect", "ellipse", "text-box", "image", "g"}
ROWS = {"table-header-rows", "table-rows", "table-row-group"}
MOST_SPACES = 100
ROMAN = dict(
    zip(
        [1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1],
        ["m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"],
        strict=True,
    )
)


def read(path: Path, builder: TextBuilder) -> None:
    with Package(path, builder.limits) as package:
        package.check()
        content, meta, styles = (package.xml(name) for name in ("content.xml", "meta.xml", "styles.xml"))
    if content is None:
        raise ParseError("corrupt")
    facts = {local(fact): fact.text or "" for fact in (meta.iter() if meta is not None else ())}
    builder.title = facts.get("title", "")
    builder.date = facts.get("date", "") or facts.get("creation-date", "")
    writer = _Text(builder, _list_styles([content, styles]))
    for element in content.iter():
        if local(element) == "body":
            writer.add(element)
    edges = (e for e in (styles.iter() if styles is not None else ()) if local(e) in {"header", "footer"})
    for text in dict.fromkeys("\n".join(_paragraphs(edge)) for edge in edges):
        builder.paragraph(text)


class _Text:
    """Adds blocks in their order."""

    def __init__(self, builder: TextBuilder, styles: dict[str, list[Element]]) -> None:
        self._builder = builder
        self._styles = styles
        self._last: dict[str, int] = {}  # style of a list -> its last number, for lists that go on

    def add(self, element: Element) -> None:
        for child in element:
            kind = local(child)
            if kind == "h":
                level = _attribute(child, "outline-level")
                self._builder.heading(int(level) if level.isdecimal() else 1, _text(child))
                self._add_aside(child)
            elif kind == "p":
                self._builder.paragraph(_text(child))
                self._add_aside(child)
            elif kind == "list":
                lines = list(self._items(child, "", 0, ""))
                self._builder.paragraph("\n".join(lines))
                self._add_aside(child)
            elif kind == "table":
                self._builder.table(list(_rows(child)))
                self._add_aside(child)
            elif kind in ASIDE:
                self._add_one_aside(child)
            elif kind not in SILENT:
                self.add(child)

    def _items(self, element: Element, style: str, depth: int, above: str) -> Iterator[str]:
        style = _attribute(element, "style-name") or style
        number = self._last.get(style, 0) if _attribute(element, "continue-numbering") == "true" else 0
        for item in element:
            number += local(item) == "list-item"
            start = _attribute(item, "start-value")
            number = int(start) if start.isdecimal() else number
            label, path = self._label(style, depth, number, above)
            for child in item:
                if local(child) == "list":
                    yield from self._items(child, style, depth + 1, path)
                elif text := _text(child).strip():
                    yield "  " * depth + f"{label} {text}".strip()
                    label = " " * len(label)
        self._last[style] = number

    def _label(self, style: str, depth: int, number: int, above: str) -> tuple[str, str]:
        """A list item's label, and its number for the labels below it."""
        levels = self._styles.get(style, [])
        level = levels[depth] if depth < len(levels) else None
        form = _attribute(level, "num-format") if level is not None else ""
        if level is None or not form:
            return "-", ""
        own = _numeral(number, form)
        shown = f"{above}.{own}" if above and _attribute(level, "display-levels") not in {"", "1"} else own
        return _attribute(level, "num-prefix") + shown + _attribute(level, "num-suffix"), shown

    def _add_aside(self, block: Element) -> None:
        for element in block:
            if local(element) in ASIDE:
                self._add_one_aside(element)
            elif local(element) not in SILENT:
                self._add_aside(element)

    def _add_one_aside(self, element: Element) -> None:
        kind = local(element)
        if kind == "note":
            self._builder.paragraph("Note: " + "\n".join(_paragraphs(element)))
        elif kind == "annotation":
            author = next((e.text or "" for e in element if local(e) == "creator"), "")
            text = "\n".join(_paragraphs(element))
            self._builder.paragraph(f"Comment, {author}: {text}" if author else f"Comment: {text}")
        else:
            self.add(element)


def _rows(table: Element) -> Iterator[list[str]]:
    for row in table:
        if local(row) in ROWS:
            yield from _rows(row)
        elif local(row) == "table-row":
            yield [" ".join(_paragraphs(cell)) for cell in row]


def _paragraphs(element: Element) -> Iterator[str]:
    for child in element:
        if local(child) in {"p", "h"}:
            if text := _text(child).strip():
                yield text
        elif local(child) not in SILENT | ASIDE:
            yield from _paragraphs(child)


def _text(element: Element) -> str:
    """The text of a paragraph, without what stands aside of it."""
    kind = local(element)
    if kind in ASIDE or kind in SILENT:
        return ""
    count = _attribute(element, "c") if kind == "s" else ""
    copies = min(int(count), MOST_SPACES) if count.isdecimal() else 1
    parts = [SPACES.get(kind, "") * copies, element.text or ""]
    for child in element:
        parts += [_text(child), child.tail or ""]
    return "".join(parts)


def _list_styles(roots: list[Element | None]) -> dict[str, list[Element]]:
    """The levels of each list style, outermost first."""
    found = (element for root in roots if root is not None for element in root.iter())
    return {_attribute(style, "name"): list(style) for style in found if local(style) == "list-style"}


def _attribute(element: Element, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def _numeral(number: int, form: str) -> str:
    if form in "aA" and number > 0:
        text = chr(97 + (number - 1) % 26) * (1 + (number - 1) // 26)
    elif form in "iI" and 0 < number < 4000:
        text = ""
        for value, letters in ROMAN.items():
            text += letters * (number // value)
            number %= value
    else:
        return str(number)
    return text.upper() if form.isupper() else text
