"""OpenDocument presentations, which kreuzberg refuses."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.packages import Package
from ingestion.parsing.readers.xml import local
from ingestion.parsing.types import ParseError

PRESENTATION_CLASS = "{urn:oasis:names:tc:opendocument:xmlns:presentation:1.0}class"
FURNITURE = {"header", "footer", "date-time", "page-number", "page"}
SPACES = {"tab": "\t", "s": " ", "line-break": "\n"}


def read(path: Path, builder: TextBuilder) -> None:
    with Package(path, builder.limits) as package:
        package.check()
        content, meta, styles = (package.xml(name) for name in ("content.xml", "meta.xml", "styles.xml"))
    if content is None:
        raise ParseError("corrupt")
    facts = {local(fact): fact.text or "" for fact in (meta.iter() if meta is not None else ())}
    builder.title = facts.get("title", "")
    builder.date = facts.get("date", "") or facts.get("creation-date", "")
    slides = (element for element in content.iter() if local(element) == "page")
    for number, slide in enumerate(slides, 1):
        builder.slide(number)
        for shape in slide:
            _add_shape(shape, builder)
    if not builder.length:  # slides that show nothing but their master's own text
        for element in styles.iter() if styles is not None else ():
            if local(element) == "master-page":
                builder.paragraph("\n".join(_paragraphs(element)))


def _add_shape(shape: Element, builder: TextBuilder) -> None:
    role = shape.get(PRESENTATION_CLASS, "")
    if role in FURNITURE:
        return
    if role == "title":
        builder.heading(1, " ".join(_paragraphs(shape)))
        return
    tables = [element for element in shape.iter() if local(element) == "table"]
    if local(shape) in {"notes", "g"}:
        for child in shape:
            _add_shape(child, builder)
    elif tables:
        for table in tables:
            builder.table(
                [
                    [" ".join(_paragraphs(cell)) for cell in row]
                    for row in table.iter()
                    if local(row) == "table-row"
                ]
            )
    else:
        builder.paragraph("\n".join(_paragraphs(shape)))


def _paragraphs(shape: Element) -> list[str]:
    found = (element for element in shape.iter() if local(element) in {"p", "h"})
    return [text for element in found if (text := _text(element).strip())]


def _text(element: Element) -> str:
    if local(element) in {"annotation", "page-number"}:
        return ""
    parts = [SPACES.get(local(element), ""), element.text or ""]
    for child in element:
        parts += [_text(child), child.tail or ""]
    return "".join(parts)
