"""HWPX, the zipped XML of Hancom Office (KS X 6101): the same blocks as `hwp.py` gives."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.blocks import Block, Placed, add_blocks, flat, grid
from ingestion.parsing.readers.counting import Level, List
from ingestion.parsing.readers.hancom import BY_NAME, OUTLINE_STYLE, Line, Numbers, pattern
from ingestion.parsing.readers.numerals import numeral
from ingestion.parsing.readers.packages import Package
from ingestion.parsing.readers.xml import local, xml_events
from ingestion.parsing.types import ParseError

SECTION = re.compile(r"Contents/section(\d+)\.xml", re.IGNORECASE)
SPACES = {"lineBreak": "\n", "tab": "\t", "nbSpace": " ", "fwSpace": " ", "hyphen": "-"}
NOTES = {"footNote", "endNote"}
COMMENTS = {"hiddenComment", "fieldBegin"}  # a field with paragraphs of its own is a memo
MARGINS = {"header", "footer"}


def read(path: Path, builder: TextBuilder) -> None:
    with Package(path, builder.limits) as package:
        package.check()
        sections = sorted((int(m[1]), name) for name in package.names if (m := SECTION.fullmatch(name)))
        if not sections:
            raise ParseError("corrupt")
        facts = _facts(package.xml("Contents/content.hpf"))
        builder.title = facts.get("title", "")
        builder.date = facts.get("ModifiedDate", "") or facts.get("CreatedDate", "")
        body = _Body(package.xml("Contents/header.xml"))
        for _, name in sections:
            for paragraph in _streamed(package, name):
                add_blocks(body.paragraph(paragraph), builder)


def _facts(root: Element | None) -> dict[str, str]:
    if root is None:
        return {}
    return {element.get("name") or local(element): element.text or "" for element in root.iter()}


def _streamed(package: Package, name: str) -> Iterator[Element]:
    """The paragraphs of a section, each taken out of the tree when the next is asked for."""
    depth = 0
    root: Element | None = None
    for event, element in xml_events(io.BytesIO(package.read(name)), package.limits):
        depth += 1 if event == "start" else -1
        root = element if root is None else root
        if event == "end" and depth == 1:
            if local(element) == "p":
                yield element
            root.clear()


class _Body:
    """Reads paragraphs with the styles and numbers that the head of the document defines."""

    def __init__(self, head: Element | None) -> None:
        self._numbers = Numbers()
        self._headings: dict[str, int] = {}  # style -> level
        self._shapes: dict[str, tuple[str, str, int]] = {}  # shape -> kind of number, list, level
        self._outline = "1"  # the list that numbers the section's outline
        self._shown: set[str] = set()  # headers and footers that were given already
        for element in head.iter() if head is not None else ():
            self._define(element)

    def _define(self, element: Element) -> None:
        kind, name = local(element), element.get("id", "")
        if kind == "style":
            if match := OUTLINE_STYLE.match(element.get("name", "") or element.get("engName", "")):
                self._headings[name] = int(match[1])
        elif kind == "paraPr":
            heading = next((e for e in element.iter() if local(e) == "heading"), None)
            if heading is not None:
                place = (heading.get("type", ""), heading.get("idRef", ""), _number(heading.get("level"), 0))
                self._shapes[name] = place
        elif kind == "numbering":
            heads = [child for child in element if local(child) == "paraHead"]
            levels = {_number(h.get("level"), 1) - 1: _level(h) for h in heads}
            self._numbers.lists[name] = List(name, name, levels, {})
        elif kind == "bullet":
            name = f"bullet {name}"
            self._numbers.lists[name] = List(name, name, {0: Level("", "bullet")}, {})

    def paragraph(self, element: Element) -> list[Block]:
        section = next((e for e in element.iter() if local(e) == "secPr"), None)
        if section is not None:
            self._outline = section.get("outlineShapeIDRef", self._outline)
        line = Line()
        self._walk(element, line)
        label = self._label(element.get("paraPrIDRef", ""))
        return line.blocks(label, self._headings.get(element.get("styleIDRef", ""), 0))

    def _label(self, shape: str) -> str:
        kind, list_id, level = self._shapes.get(shape, ("", "", 0))
        if kind == "BULLET":
            return self._numbers.label(f"bullet {list_id}", 0)
        if kind == "OUTLINE" and list_id in {"", "0"}:
            list_id = self._outline
        return self._numbers.label(list_id, level) if kind in {"OUTLINE", "NUMBER"} else ""

    def _walk(self, element: Element, line: Line) -> None:
        for child in element:
            kind = local(child)
            if kind == "t":
                line.parts += _characters(child)
            elif kind == "p":
                line.beside += self.paragraph(child)
            elif kind == "tbl":
                line.beside += self._table(child)
            elif kind in NOTES | COMMENTS | MARGINS:
                self._aside(kind, self._inner(child), line)
            elif kind == "switch":  # the same for programs of different ages
                self._walk(child[0] if len(child) else child, line)
            elif kind == "equation":
                line.parts += [script.text or "" for script in child.iter() if local(script) == "script"]
                line.beside += self._inner(child)
            elif (text := _own_text(child)) is not None:
                line.parts.append(text)
            else:
                self._walk(child, line)

    def _aside(self, kind: str, blocks: list[Block], line: Line) -> None:
        """Notes and comments go with their paragraph; a header or footer stands beside it, once."""
        text = flat(blocks)
        if kind in NOTES:
            line.asides.append(text)
        elif kind in COMMENTS:
            line.asides += [f"Comment: {text}"] if text else []
        elif text not in self._shown:
            line.beside += blocks
            self._shown.add(text)

    def _inner(self, element: Element) -> list[Block]:
        """The paragraphs in an element."""
        line = Line()
        for child in element:
            if local(child) in {"subList", "caption", "p"}:
                self._walk(element if local(child) == "p" else child, line)
        return line.beside

    def _table(self, table: Element) -> list[Block]:
        cells = []
        for number, row in enumerate(child for child in table if local(child) == "tr"):
            for place, cell in enumerate(child for child in row if local(child) == "tc"):
                at = {local(fact): fact for fact in cell}
                address, span = at.get("cellAddr"), at.get("cellSpan")
                cells.append(
                    Placed(
                        _of(address, "rowAddr", number),
                        _of(address, "colAddr", place),
                        _of(span, "rowSpan", 1),
                        _of(span, "colSpan", 1),
                        self._inner(cell),
                    )
                )
        captions = [block for child in table if local(child) == "caption" for block in self._inner(child)]
        return [*captions, grid(cells)]


def _characters(text: Element) -> Iterator[str]:
    """The text of a run, without what a tracked change has deleted from it."""
    deleted = False
    yield text.text or ""
    for child in text.iter():
        if child is text:
            continue
        kind = local(child)
        deleted = (deleted or kind == "deleteBegin") and kind != "deleteEnd"
        if not deleted:
            yield SPACES.get(kind, "") + (child.text or "") + (child.tail or "")


def _own_text(element: Element) -> str | None:
    """The text that an element holds by itself; None for those that hold others."""
    kind = local(element)
    if kind in SPACES:
        return SPACES[kind]
    if kind == "autoNum":
        form = next((child for child in element if local(child) == "autoNumFormat"), None)
        if element.get("numType") == "PAGE":
            return ""
        name, before, after = (
            form.get(n, "") if form is not None else "" for n in ("type", "prefixChar", "suffixChar")
        )
        return before + numeral(_number(element.get("num"), 1), BY_NAME.get(name, "decimal")) + after
    if kind == "dutmal":  # words with words above them
        main, above = ("".join(e.itertext()) for e in [*element, Element("none"), Element("none")][:2])
        return f"{main}({above})" if above else main
    if kind == "compose":
        return element.get("composeText", "")
    return element.get("text", "") if kind == "textart" else None


def _level(head: Element) -> Level:
    form = BY_NAME.get(head.get("numFormat", ""), "decimal")
    return Level(pattern(head.text or ""), form, _number(head.get("start"), 1))


def _of(element: Element | None, name: str, default: int) -> int:
    return default if element is None else _number(element.get(name), default)


def _number(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"\d{1,5}", text) else default
