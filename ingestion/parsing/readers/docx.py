"""Word: the body in order, with numbers, notes and comments where they belong, headers and footers once.

Own code over the XML, because kreuzberg drops characters, notes, comments and automatic numbers.
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import decode
from ingestion.parsing.readers.blocks import add_blocks, flat
from ingestion.parsing.readers.docx_blocks import Blocks, pieces, streamed_pieces
from ingestion.parsing.readers.docx_numbering import Numbering
from ingestion.parsing.readers.docx_runs import Runs
from ingestion.parsing.readers.docx_styles import Styles, W
from ingestion.parsing.readers.numerals import numeral
from ingestion.parsing.readers.ooxml import Target, chart_text, diagram_text, events, main_part, targets, tree
from ingestion.parsing.readers.packages import Package, core_properties
from ingestion.parsing.readers.text import add_plain
from ingestion.parsing.readers.webpage import add_html

MAIN = "word/document.xml"
SEPARATORS = {"separator", "continuationSeparator", "continuationNotice"}
FEWEST = 3  # letters or figures; a header with fewer is the page's number


NOTES = ("comment", "footnote", "endnote")
DEEPEST = 3  # Word files in Word files


def read(path: Path, builder: TextBuilder) -> None:
    with Package(path, builder.limits) as package:
        package.check()
        builder.title, builder.date = core_properties(package)
        _Word(package, builder).read()


class _Word:
    """One document: its parts, and which of its notes the text has cited."""

    def __init__(self, package: Package, builder: TextBuilder, depth: int = 1) -> None:
        self.package = package
        self.builder = builder
        self.depth = depth
        self.main = main_part(package, MAIN)
        self.targets = targets(package, self.main)
        self.styles = Styles(self._tree("styles"))
        self.numbering = Numbering(self._tree("numbering"), self.styles)
        self.notes: dict[str, dict[str, str]] = {kind: {} for kind in NOTES}
        self.cited = dict.fromkeys(NOTES, 0)
        for kind in NOTES:
            self._read_notes(kind)

    def read(self) -> None:
        self.builder.paragraph(self._margins("header"))
        body = streamed_pieces(events(self.package, self.main))
        add_blocks(self._blocks(self.targets).read(body), self.builder)
        for comment in self.notes["comment"].values():  # which nothing in the text refers to
            self.builder.paragraph(comment)
        self.builder.paragraph(self._margins("footer"))

    def _add_embedded(self, link: str, builder: TextBuilder) -> None:
        """Add a whole file of another format, which Word shows as the document's text."""
        part = self.targets[link].part if link in self.targets else ""
        ending = PurePosixPath(part).suffix.lower()
        data = self.package.read(part)
        if ending in {".html", ".htm", ".xhtml"}:
            add_html(data, builder)
        elif ending == ".txt":
            add_plain(decode(data), builder)
        elif ending in {".docx", ".docm", ".dotx"} and self.depth < DEEPEST:
            with Package(data, builder.limits) as package:
                package.check()
                _Word(package, builder, self.depth + 1).read()
        else:
            builder.warn(f"A part of the document in another format ({ending or 'unknown'}) is not read.")

    def _blocks(self, links: dict[str, Target]) -> Blocks:
        def draw(link: str) -> str:
            return self._drawing(links[link].part) if link in links else ""

        runs = Runs(self._cite, draw, self.builder.warn)
        return Blocks(runs, self.styles, self.numbering, self._add_embedded)

    def _drawing(self, part: str) -> str:
        """A diagram's or a chart's texts."""
        root = tree(self.package, part)
        if root is None:
            return ""
        return diagram_text(root) if root.tag.endswith("}dataModel") else chart_text(root)

    def _cite(self, kind: str, note: str) -> str:
        """A note with its number, or a comment, where the text refers to it first."""
        text = self.notes[kind].pop(note, "")
        if not text or kind == "comment":
            return text
        self.cited[kind] += 1
        return f"[{numeral(self.cited[kind], 'lowerRoman' if kind == 'endnote' else 'decimal')}] {text}"

    def _read_notes(self, kind: str) -> None:
        for part in self._parts(f"{kind}s"):
            blocks = self._blocks(targets(self.package, part))
            for event, note in events(self.package, part):
                if event == "end" and note.tag == f"{W}{kind}":
                    text = flat(blocks.read(pieces(note)))
                    if text and note.get(f"{W}type", "normal") not in SEPARATORS:
                        self.notes[kind][note.get(f"{W}id", "")] = _signed(note, text)
                    note.clear()

    def _margins(self, kind: str) -> str:
        """The lines of all headers or footers, each once, without those that are only the page's number."""
        lines: dict[str, None] = {}
        for part in self._parts(kind):
            root = tree(self.package, part)
            if root is not None:
                text = flat(self._blocks(targets(self.package, part)).read(pieces(root)))
                lines |= dict.fromkeys(line.strip() for line in text.split("\n"))
        return "\n".join(line for line in lines if sum(map(str.isalnum, line)) >= FEWEST)

    def _parts(self, kind: str) -> list[str]:
        return [target.part for target in self.targets.values() if target.kind == kind]

    def _tree(self, kind: str) -> Element | None:
        return next((tree(self.package, part) for part in self._parts(kind)), None)


def _signed(note: Element, text: str) -> str:
    """A comment with its author; a note as it is."""
    if note.tag != f"{W}comment":
        return text
    author = " ".join(note.get(f"{W}author", "").split())
    return f"Comment by {author}: {text}" if author else f"Comment: {text}"
