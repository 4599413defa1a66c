"""PowerPoint: slides in the order of the show, with titles, tables, diagrams, charts and notes.

Own code, because kreuzberg gives neither diagrams nor reliable slide bounds.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.packages import Package, core_properties
from ingestion.parsing.readers.xml import local
from ingestion.parsing.types import ParseError

A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
PRESENTATION = "ppt/presentation.xml"
MASTER = re.compile(r"ppt/slideMasters/[^/]+\.xml")
TITLES = {"title", "ctrTitle"}
FURNITURE = {"dt", "ftr", "sldNum", "hdr", "sldImg"}


def read(path: Path, builder: TextBuilder) -> None:
    with Package(path, builder.limits) as package:
        package.check()
        builder.title, builder.date = core_properties(package)
        for number, name in enumerate(_slides(package), 1):
            slide = package.xml(name)
            if slide is not None:
                builder.slide(number)
                _add_shapes(slide, builder)
                _add_parts(package, name, builder)
        if not builder.length:  # slides that show nothing but their master's own text
            for master in sorted(name for name in package.names if MASTER.fullmatch(name)):
                _add_own_text(package.xml(master), builder)


def _add_own_text(master: Element | None, builder: TextBuilder) -> None:
    for shape in master.iter(P + "sp") if master is not None else ():
        if not _role(shape):
            builder.paragraph("\n".join(_paragraphs(shape)))


def _slides(package: Package) -> list[str]:
    show = package.xml(PRESENTATION)
    if show is None:
        raise ParseError("corrupt")
    targets = _targets(package, PRESENTATION)
    ids = [slide.get(R + "id", "") for slide in show.iter(P + "sldId")]
    return [targets[key][1] for key in ids if key in targets]


def _targets(package: Package, name: str) -> dict[str, tuple[str, str]]:
    """Relationship id -> (kind, part) of a part."""
    folder, base = posixpath.split(name)
    root = package.xml(f"{folder}/_rels/{base}.rels")
    return {
        link.get("Id", ""): (
            link.get("Type", "").rsplit("/", 1)[-1],
            posixpath.normpath(posixpath.join(folder, link.get("Target", ""))).lstrip("/"),
        )
        for link in (root if root is not None else ())
        if link.get("TargetMode") != "External"
    }


def _add_shapes(slide: Element, builder: TextBuilder) -> None:
    for shape in slide.iter():
        kind = local(shape)
        if kind == "sp":
            role = _role(shape)
            if role in TITLES:
                builder.heading(1, " ".join(_paragraphs(shape)))
            elif role not in FURNITURE:
                builder.paragraph("\n".join(_paragraphs(shape)))
        elif kind == "tbl":
            rows = [
                [" ".join(_paragraphs(cell)) for cell in row.iter(A + "tc")] for row in shape.iter(A + "tr")
            ]
            builder.table(rows)


def _add_parts(package: Package, name: str, builder: TextBuilder) -> None:
    """Diagrams, charts and notes live in parts of their own."""
    for kind, part in _targets(package, name).values():
        if kind not in {"diagramData", "chart", "notesSlide"} or (root := package.xml(part)) is None:
            continue
        if kind == "notesSlide":
            _add_shapes(root, builder)
        elif kind == "diagramData":
            builder.paragraph("\n".join(_paragraphs(root)))
        else:
            values = [v.text or "" for v in root.iter() if local(v) == "v" and not _number(v.text or "")]
            builder.paragraph("\n".join([*_paragraphs(root), *dict.fromkeys(values)]))


def _role(shape: Element) -> str:
    place = next(shape.iter(P + "ph"), None)
    return "" if place is None else place.get("type", "body")


def _paragraphs(shape: Element) -> Iterator[str]:
    for paragraph in shape.iter(A + "p"):
        parts = [
            "\n" if local(run) == "br" else run.text or ""
            for run in paragraph.iter()
            if local(run) in {"t", "br"}
        ]
        if text := "".join(parts).strip():
            yield text


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
