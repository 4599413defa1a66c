"""The Markdown that kreuzberg makes of other formats, to blocks; `markdown_file.py` reads files."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ingestion.parsing.builder import TextBuilder

FENCE = re.compile(r"^\s{0,3}(```+|~~~+)")
HEADING = re.compile(r"^ {0,3}(#{1,6})(?:\s+(.*?))?(?:\s+#+)?\s*$")
RULE = re.compile(r"^ {0,3}(?:(?:-\s*){3,}|(?:\*\s*){3,}|(?:_\s*){3,})$")
TABLE_RULE = re.compile(r"^\s*\|?(?:\s*:?-+:?\s*\|)+(?:\s*:?-+:?\s*)?$")
CELL_END = re.compile(r"(?<!\\)\|")

ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
ESCAPED_BASE = 0x10FE00  # escaped characters hide here, in private use, while marks are taken out
HIDDEN = re.compile(rf"[{chr(ESCAPED_BASE)}-{chr(ESCAPED_BASE + 0x7F)}]")
IMAGE = re.compile(r"!\[([^\[\]\n]{0,300})\]\([^()\n]{0,2000}\)")
LINK = re.compile(r"\[([^\[\]]{0,500})\]\((?:[^()\n]|\([^()\n]{0,200}\)){0,2000}\)")
REFERENCE_LINK = re.compile(r"\[([^\[\]\n]{1,300})\]\[[^\[\]\n]{0,100}\]")
STRONG = re.compile(r"(\*{2,3}|_{2,3}|~~|==)(?=[^\s*_~=])(.{1,600}?)(?<=\S)\1", re.DOTALL)
EMPHASIS = re.compile(r"(?<![\w*_])([*_])(?=[^\s*_])([^*_\n]{1,400}?)(?<=\S)\1(?![\w*_])")
CODE = re.compile(r"(`+)([^`\n]{1,1000})\1")
TAG = re.compile(
    r"</?(?:u|b|i|s|em|strong|sub|sup|span|div|p|a|img|font|small|ins|del|mark)\b[^<>\n]{0,300}/?>", re.I
)
EMPTY_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s*$\n?", re.MULTILINE)
INNER_RULE = re.compile(r"\|?(?:\s*:?-{3,}:?\s*\|)+")  # of a table within a cell or a list
LIST_TABLE = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+\|")
MARKS = re.compile(r"[\\*_~=`<&\[|]|---|^\s*(?:[-*+]|\d+[.)])\s*$", re.MULTILINE)
LONGEST = 200_000  # characters; a paragraph beyond that is data, and patterns would take minutes
BREAK = re.compile(r"<br\s*/?>", re.I)


def plain(text: str) -> str:
    """Inline Markdown without its marks: links become their text, escapes their character."""
    if len(text) > LONGEST or not MARKS.search(text):
        return text
    text = ESCAPE.sub(lambda m: chr(ESCAPED_BASE + ord(m[1])), text)
    for pattern, kept in ((IMAGE, r"\1"), (LINK, r"\1"), (REFERENCE_LINK, r"\1"), (CODE, r"\2")):
        text = pattern.sub(kept, text)
    text = INNER_RULE.sub(" ", TAG.sub("", BREAK.sub("\n", text)))
    text = EMPHASIS.sub(r"\2", STRONG.sub(r"\2", STRONG.sub(r"\2", text)))
    if "&" in text:
        text = html.unescape(text)
    return EMPTY_ITEM.sub("", HIDDEN.sub(lambda m: chr(ord(m[0]) - ESCAPED_BASE), text))


def add_markdown(text: str, builder: TextBuilder) -> None:
    """Put the blocks of generated Markdown into the builder: headings, tables, code, paragraphs.

    It never underlines headings, and escapes the marks of its own in cells.
    """
    lines = _Lines(text)
    paragraph: list[str] = []

    def flush() -> None:
        builder.paragraph(plain("\n".join(paragraph)))
        paragraph.clear()

    for line in lines:
        if fence := FENCE.match(line):
            flush()
            builder.paragraph("\n".join(lines.until_fence(fence[1])))
        elif heading := HEADING.match(line):
            flush()
            builder.heading(len(heading[1]), plain(heading[2] or ""))
        elif "|" in line and not paragraph and TABLE_RULE.match(lines.peek()):
            rows = (_cells(row) for row in lines.table(line))
            builder.table([list(map(plain, row)) for row in rows])
        elif not line.strip() or RULE.match(line):
            flush()
        else:
            paragraph.append(line.rstrip() if not LIST_TABLE.match(line) else line.replace("|", " "))
    flush()


class _Lines:
    """The lines of a text, with a look at the next one."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._next = 0

    def __iter__(self) -> Iterator[str]:
        while self._next < len(self._lines):
            self._next += 1
            yield self._lines[self._next - 1]

    def peek(self) -> str:
        return self._lines[self._next] if self._next < len(self._lines) else ""

    def until_fence(self, fence: str) -> Iterator[str]:
        for line in self:
            if line.strip().startswith(fence):
                return
            yield line

    def table(self, header: str) -> Iterator[str]:
        yield header
        self._next += 1
        while "|" in self.peek():
            yield self._lines[self._next]
            self._next += 1


def _cells(row: str) -> list[str]:
    row = row.strip()
    row = row[1:] if row.startswith("|") else row
    row = row[:-1] if row.endswith("|") and not row.endswith("\\|") else row
    return [plain(cell) for cell in CELL_END.split(row)]
