"""The elements of a page as headings, paragraphs, lists, code and tables."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborNode

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.readers.blocks import Block, Paragraph, Placed, grid, rows_of
from ingestion.parsing.readers.numerals import numeral

SILENT_NAMES = """
    script style noscript template head iframe object embed svg button select textarea datalist audio
    video canvas
"""
SILENT = frozenset(SILENT_NAMES.split())
HEADINGS = {f"h{level}": level for level in range(1, 7)}
LISTS = frozenset(("ul", "ol", "dl", "menu", "dir"))
BLOCKS_NAMES = """
    address article aside blockquote body caption center dd details dialog div dl dt fieldset figcaption
    figure footer form header hgroup hr html legend li main menu nav ol p section summary table tbody td
    tfoot th thead tr ul dir search
"""
BLOCKS = frozenset(BLOCKS_NAMES.split())
FORMS = {"a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman"}
SPACES = re.compile(r"[ \t\r\n\f]+")
SPACES_IN_LINE = re.compile(r" {2,}")
BROKEN = re.compile(r" *\n *")
MOST_CELLS = 1000  # that one cell may cover
IN_NO_TABLE = ", ".join([*HEADINGS, "table", "pre"])  # a table that holds these is there for the layout


class Assembler:
    """Collects the text of inline elements until a block begins or ends."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._parts: list[str] = []
        self._lists: list[tuple[str, int]] = []  # of each open list the form of its numbers, and the last
        self._pre = 0
        self._level = 0  # of the open heading

    def text(self, text: str) -> None:
        self._parts.append(text if self._pre else SPACES.sub(" ", text))

    def open(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "br":
            self._parts.append("\n")
        elif tag == "img":
            self.text(f" {node.attributes.get('alt') or ''} ")
        elif tag == "pre":
            self._flush()
            self._pre += 1
        elif tag in HEADINGS:
            self._flush()
            self._level = HEADINGS[tag]
        elif tag in LISTS:
            self._break()
            first = _whole(node.attributes.get("start"), 1) - 1
            form = FORMS.get(node.attributes.get("type") or "", "decimal") if tag == "ol" else ""
            self._lists.append((form, first))
        elif tag in BLOCKS:
            self._break()
            if tag == "li":
                self._parts.append(self._mark(node))

    def close(self, tag: str) -> None:
        if tag == "pre":
            self._flush()
            self._pre = max(self._pre - 1, 0)
        elif tag in HEADINGS:
            self._flush()
            self._level = 0
        elif tag in LISTS:
            self._break()
            if self._lists:
                self._lists.pop()
            if not self._lists:
                self._flush()
        elif tag in BLOCKS:
            self._break()

    def table(self, rows: list[list[str]], caption: str) -> None:
        self._flush()
        self._builder.paragraph(caption)
        self._builder.table(rows)

    def end(self) -> None:
        self._flush()

    def _mark(self, item: LexborNode) -> str:
        """What stands before an item: its number in an ordered list, else a dash."""
        if not self._lists or not self._lists[-1][0]:
            return "- "
        form, last = self._lists.pop()
        number = _whole(item.attributes.get("value"), last + 1)
        self._lists.append((form, number))
        return f"{numeral(number, form)}. "

    def _break(self) -> None:
        """End a paragraph; in a list only a line, so that its items stay together."""
        if self._lists:
            if self._parts and not self._parts[-1].endswith(("\n", "- ", ". ")):
                self._parts.append("\n")
        elif not self._pre:
            self._flush()

    def _flush(self) -> None:
        text = "".join(self._parts)
        self._parts = []
        if not self._pre:
            text = BROKEN.sub("\n", SPACES_IN_LINE.sub(" ", text)).strip()
        if self._level:
            self._builder.heading(self._level, text)
        elif self._pre:
            self._builder.paragraph(text.strip("\n"))
        else:
            self._builder.paragraph(text)


def walk(root: LexborNode, assembler: Assembler) -> None:
    """Visit a part of a page in its order, however deep its elements lie."""
    node: LexborNode | None = root
    while node is not None:
        inner = _enter(node, assembler)
        if inner is not None:
            node = inner
            continue
        while node is not None and node.mem_id != root.mem_id and node.next is None:
            node = node.parent
            if node is not None:
                assembler.close(node.tag or "")
        if node is None or node.mem_id == root.mem_id:
            return
        node = node.next


def _enter(node: LexborNode, assembler: Assembler) -> LexborNode | None:
    """Give a node's own text; return its first child where that is still to be visited."""
    if node.is_text_node:
        assembler.text(node.text_content or "")
        return None
    tag = node.tag or ""
    if tag in SILENT or not node.is_element_node:
        return None
    if tag == "table" and _holds_data(node):
        assembler.table(_rows(node), _text(node.css_first("caption")))
        return None
    assembler.open(node)
    if node.first_child is None:
        assembler.close(tag)
    return node.first_child


def _holds_data(table: LexborNode) -> bool:
    """Whether a table has rows of data; many are there to put things beside each other."""
    if table.attributes.get("role") in {"presentation", "none"}:
        return False
    if any(inner.mem_id != table.mem_id for inner in table.css(IN_NO_TABLE)):
        return False
    return any(len(row.css("td, th")) > 1 for row in table.css("tr"))


def _rows(table: LexborNode) -> list[list[str]]:
    cells: list[Placed] = []
    taken: set[tuple[int, int]] = set()
    for number, row in enumerate(table.css("tr")):
        column = 0
        for cell in row.css("td, th"):
            while (number, column) in taken:
                column += 1
            columns = min(max(_whole(cell.attributes.get("colspan"), 1), 1), MOST_CELLS)
            rows = min(max(_whole(cell.attributes.get("rowspan"), 1), 1), MOST_CELLS)
            if rows * columns <= MOST_CELLS:
                taken |= {(number + down, column + on) for down in range(1, rows) for on in range(columns)}
            blocks: list[Block] = [Paragraph(_text(cell))]
            cells.append(Placed(number, column, rows, columns, blocks))
            column += columns
    return rows_of(grid(cells))


def _text(node: LexborNode | None) -> str:
    """The text of a cell on a line, blocks parted by spaces."""
    parts: list[str] = []
    for inner in node.traverse(include_text=True) if node is not None else ():
        if inner.is_text_node:
            parent = inner.parent
            parts.append((inner.text_content or "") if parent is None or parent.tag not in SILENT else "")
        elif inner.tag == "br" or inner.tag in BLOCKS:
            parts.append(" ")
        elif inner.tag == "img":
            parts.append(f" {inner.attributes.get('alt') or ''} ")
    return " ".join("".join(parts).split())


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and re.fullmatch(r"-?\d{1,6}", text.strip()) else default
