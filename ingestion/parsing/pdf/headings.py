"""Headings: what the outline names, and short blocks that are larger or bolder than the text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ingestion.parsing.pdf.blocks import Block
from ingestion.parsing.pdf.pages import PageContent

LARGER = 1.12  # than the text
MOST_LINES = 5
MOST_CHARACTERS = 200
LETTER = re.compile(r"[^\W\d_]")
SENTENCE = re.compile(r"[.;,。、]$")

Style = tuple[float, bool]


def mark_headings(pages: Sequence[PageContent], outline: Iterable[tuple[int, str, int]]) -> None:
    """Give each heading's block its level: the outline's where it names the block, else its style's rank."""
    for level, title, number in outline:
        _name(pages, level, _key(title), number)
    blocks = [block for page in pages for block in page.blocks if not block.table]
    if not blocks:
        return
    body, bold = _body(blocks)
    named = [block for block in blocks if block.level]
    styles = {_style(block): block.level for block in sorted(named, key=lambda b: -b.level)}
    others = [b for b in blocks if not b.level and _stands_out(b, body, bold)]
    below = max(styles.values(), default=0)
    unnamed = sorted({_style(block) for block in others} - set(styles), reverse=True)
    styles |= {style: below + 1 if below else rank for rank, style in enumerate(unnamed, 1)}
    for block in others:
        block.level = styles[_style(block)]


def _name(pages: Sequence[PageContent], level: int, title: str, number: int) -> None:
    """Give the block that is a bookmark's title on its page the bookmark's level."""
    page = next((page for page in pages[number - 1 : number] if len(title) > 2), None)
    block = _titled(page, title) if page else None
    if block:
        block.level = level


def _body(blocks: Sequence[Block]) -> Style:
    """Size of most of the text, and whether most of it is bold."""
    sizes: Counter[float] = Counter()
    weights: Counter[bool] = Counter()
    for block in blocks:
        for line in block.lines:
            sizes[round(2 * line.size) / 2] += len(line.text)
            weights[line.bold] += len(line.text)
    return sizes.most_common(1)[0][0], weights.most_common(1)[0][0]


def _style(block: Block) -> Style:
    line = block.lines[0]
    return round(2 * line.size) / 2, line.bold


def _stands_out(block: Block, body: float, bold: bool) -> bool:
    text = " ".join(line.text for line in block.lines)
    letters = len(LETTER.findall(text))
    if len(block.lines) > MOST_LINES or len(text) > MOST_CHARACTERS or letters < 3 or 2 * letters < len(text):
        return False
    size, heavy = _style(block)
    larger = size >= LARGER * body
    return (larger or (heavy and not bold and size >= 0.9 * body)) and (larger or not SENTENCE.search(text))


def _titled(page: PageContent, key: str) -> Block | None:
    """The first block of a page that has this title; cut out of a longer one where it must be."""
    for flow in page.flows:
        for number, block in enumerate(flow.blocks):
            place = None if block.table or block.level else _lines_of(block, key)
            if place:
                first, last = place
                parts = [block.lines[:first], block.lines[first:last], block.lines[last:]]
                blocks = [Block(lines) for lines in parts]
                flow.blocks[number : number + 1] = [b for b in blocks if b.lines]
                return blocks[1]
    return None


def _lines_of(block: Block, key: str) -> tuple[int, int] | None:
    """First and last number of the lines that are a title, a number before it or a page's behind it aside."""
    keys = [_key(line.text) for line in block.lines]
    for first in range(len(keys)):
        text = ""
        for last in range(first, min(first + MOST_LINES, len(keys))):
            text += keys[last]
            if text == key or (text.endswith(key) and text[: -len(key)].isdigit()):
                return first, last + 1
            if len(text) > len(key) + 10:
                break
    return None


def _key(text: str) -> str:
    return "".join(char for char in text.lower() if char.isalnum())
