"""PowerPoint: slides in the order of the show, with titles, tables, diagrams, charts, notes and comments.

Own code, because kreuzberg gives neither diagrams nor reliable slide bounds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.ooxml import (
    A,
    R,
    Target,
    chart_text,
    diagram_text,
    drawn_paragraphs,
    main_part,
    targets,
    tree,
)
from ingestion.parsing.readers.packages import Package, core_properties
from ingestion.parsing.readers.xml import local

P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
MAIN = "ppt/presentation.xml"
MASTER = re.compile(r"ppt/slideMasters/[^/]+\.xml")
TITLES = {"title", "ctrTitle"}
FURNITURE = {"dt", "sldNum", "hdr", "sldImg"}
HIDDEN_MARK = "[Hidden slide]"


def read(path: Path, builder: TextBuilder) -> None:
    with Package(path, builder.limits) as package:
        package.check()
        builder.title, builder.date = core_properties(package)
        _Show(package, builder).read()
        if not builder.length:  # slides that show nothing but their master's own text
            for master in sorted(name for name in package.names if MASTER.fullmatch(name)):
                _add_own_text(tree(package, master), builder)


def _add_own_text(master: Element | None, builder: TextBuilder) -> None:
    for shape in master.iter(P + "sp") if master is not None else ():
        if not _role(shape):
            builder.paragraph("\n".join(drawn_paragraphs(shape)))


class _Show:
    """One presentation."""

    def __init__(self, package: Package, builder: TextBuilder) -> None:
        self.package = package
        self.builder = builder
        self.main = main_part(package, MAIN)
        self.targets = targets(package, self.main)
        self.authors = self._authors()
        self.footers: set[str] = set()  # that were given already: most slides repeat them

    def read(self) -> None:
        show = tree(self.package, self.main)
        ids = [slide.get(R + "id", "") for slide in show.iter(P + "sldId")] if show is not None else []
        parts = [self.targets[key].part for key in ids if key in self.targets]
        for number, part in enumerate(parts, 1):
            slide = tree(self.package, part)
            if slide is not None:
                self.builder.slide(number)
                if slide.get("show") in {"0", "false"}:
                    self.builder.warn(f"Slide {number} is hidden; its text is included.")
                    self.builder.paragraph(HIDDEN_MARK)
                self._add_shapes(slide)
                for target in targets(self.package, part).values():
                    self._add_part(target)

    def _add_shapes(self, slide: Element) -> None:
        for shape in slide.iter():
            kind = local(shape)
            if kind == "sp":
                self._add_shape(shape)
            elif kind == "tbl":
                self.builder.table(list(_rows(shape)))
            elif kind == "oleObj":
                program = shape.get("progId", "").split(".")[0] or "another program"
                self.builder.warn(f"An embedded object of {program} is not read.")

    def _add_shape(self, shape: Element) -> None:
        role = _role(shape)
        text = "\n".join(drawn_paragraphs(shape))
        if role in TITLES:
            self.builder.heading(1, text)
        elif role == "ftr":
            if text not in self.footers:
                self.footers.add(text)
                self.builder.paragraph(text)
        elif role not in FURNITURE:
            self.builder.paragraph(text)

    def _add_part(self, target: Target) -> None:
        """Diagrams, charts, notes and comments live in parts of their own."""
        if target.kind not in {"diagramData", "chart", "chartEx", "notesSlide", "comments"}:
            return
        root = tree(self.package, target.part)
        if root is None:
            return
        if target.kind == "notesSlide":
            self._add_shapes(root)
        elif target.kind == "comments":
            self.builder.paragraph("\n".join(self._comments(root)))
        else:
            self.builder.paragraph(diagram_text(root) if target.kind == "diagramData" else chart_text(root))

    def _comments(self, root: Element) -> Iterator[str]:
        """Comments and the answers to them, a line each. The text of old ones is plain, of new ones drawn."""
        for comment in root.iter():
            if local(comment) in {"cm", "reply"}:
                text = "\n".join(line for part in comment for line in _comment_lines(part))
                author = self.authors.get(comment.get("authorId", ""), "")
                if text:
                    yield f"Comment by {author}: {text}" if author else f"Comment: {text}"

    def _authors(self) -> dict[str, str]:
        parts = [t.part for t in self.targets.values() if t.kind in {"commentAuthors", "authors"}]
        roots = [root for part in parts if (root := tree(self.package, part)) is not None]
        return {author.get("id", ""): author.get("name", "") for root in roots for author in root}


def _comment_lines(part: Element) -> Iterator[str]:
    if local(part) == "text":
        yield (part.text or "").strip()
    elif local(part) == "txBody":
        yield from drawn_paragraphs(part)


def _rows(table: Element) -> Iterator[list[str]]:
    """Rows of texts; a cell over several rows stands in each of them."""
    above: list[str] = []
    for row in table.iter(A + "tr"):
        texts = []
        for place, cell in enumerate(row.iter(A + "tc")):
            goes_on = cell.get("vMerge") in {"1", "true"} and place < len(above)
            texts.append(above[place] if goes_on else " ".join(drawn_paragraphs(cell)))
        yield texts
        above = texts


def _role(shape: Element) -> str:
    place = next(shape.iter(P + "ph"), None)
    return "" if place is None else place.get("type", "body")
