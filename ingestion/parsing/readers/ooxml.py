"""What Word and PowerPoint files have in common: relationships, namespaces, diagrams and charts."""

from __future__ import annotations

import io
import posixpath
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from ingestion.parsing.readers.packages import Package
from ingestion.parsing.readers.xml import local, parse_xml, xml_events
from ingestion.parsing.types import ParseError

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
ALTERNATIVES = f"{MC}AlternateContent"
NAMES_IN_CHARTS = {"tx", "cat", "strDim"}  # strDim: of the charts that came with Office 2016
STRICT = b"http://purl.oclc.org/ooxml/"
# The strict variant of the standard names the same elements by other addresses.
TRANSITIONAL = (
    (
        STRICT + b"officeDocument/relationships",
        b"http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    ),
    *(
        (STRICT + name + b"/" + part, b"http://schemas.openxmlformats.org/" + name + b"/2006/" + part)
        for name, part in (
            (b"wordprocessingml", b"main"),
            (b"presentationml", b"main"),
            (b"drawingml", b"main"),
            (b"drawingml", b"chart"),
            (b"drawingml", b"diagram"),
            (b"drawingml", b"wordprocessingDrawing"),
            (b"officeDocument", b"math"),
        )
    ),
)


class Target(NamedTuple):
    """A part that another part refers to: `kind` is the end of the relationship's type."""

    kind: str
    part: str


def targets(package: Package, part: str) -> dict[str, Target]:
    """Relationship id -> target, for a part, or for the package itself (''). External ones are left out."""
    folder, base = posixpath.split(part)
    root = package.xml(posixpath.join(folder, "_rels", f"{base}.rels"))
    return {
        link.get("Id", ""): Target(
            link.get("Type", "").rsplit("/", 1)[-1],
            posixpath.normpath(posixpath.join(folder, unquote(link.get("Target", "")))).lstrip("/"),
        )
        for link in (root if root is not None else ())
        if link.get("TargetMode") != "External"
    }


def main_part(package: Package, usual: str) -> str:
    """The part that the package says is the document, or the usual one. Raises `ParseError` `corrupt`."""
    named = (target.part for target in targets(package, "").values() if target.kind == "officeDocument")
    part = next((name for name in (*named, usual) if package.has(name)), "")
    if not part:
        raise ParseError("corrupt")
    return part


def tree(package: Package, part: str) -> Element | None:
    """A part's XML with the transitional namespaces, and without what stands there for older programs."""
    data = package.read(part)
    if not data:
        return None
    root = parse_xml(_transitional(data), package.limits)
    for alternatives in root.iter(ALTERNATIVES):
        chosen = branch(alternatives)
        alternatives[:] = [] if chosen is None else [chosen]
    return root


def events(package: Package, part: str) -> Iterator[tuple[str, Element]]:
    """The same as events, for parts that may be large."""
    return xml_events(io.BytesIO(_transitional(package.read(part))), package.limits)


def _transitional(data: bytes) -> bytes:
    if STRICT in data[:20_000]:
        for strict, transitional in TRANSITIONAL:
            data = data.replace(strict, transitional)
    return data


def branch(alternatives: Element) -> Element | None:
    """The one of mc:AlternateContent to be read; the others say the same for older programs."""
    choice = alternatives.find(f"{MC}Choice")
    return choice if choice is not None else alternatives.find(f"{MC}Fallback")


def drawn_paragraphs(shape: Element) -> Iterator[str]:
    """The paragraphs of a drawing's text, empty ones left out."""
    for paragraph in shape.iter(f"{A}p"):
        if text := drawn_text(paragraph):
            yield text


def drawn_text(paragraph: Element) -> str:
    parts = {f"{A}br": "\n", f"{A}tab": "\t"}
    runs = (
        parts.get(run.tag) or (run.text or "")
        for run in paragraph.iter()
        if run.tag in parts or local(run) == "t"
    )
    return "".join(runs).strip()


def diagram_text(root: Element) -> str:
    """The texts of a SmartArt diagram's data, a line each."""
    return "\n".join(drawn_paragraphs(root))


def chart_text(root: Element) -> str:
    """A chart's titles, and the names of its series and categories, a line each. Its figures are left out."""
    named = (element for element in root.iter() if local(element) in NAMES_IN_CHARTS)
    names = (value.text or "" for element in named for value in element.iter() if local(value) in {"v", "pt"})
    return "\n".join(dict.fromkeys(filter(None, (*drawn_paragraphs(root), *map(str.strip, names)))))
