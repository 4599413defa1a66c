"""Headers and footers that pages repeat: kept once, without the numbers of pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ingestion.parsing.pdf.blocks import Block, Line
from ingestion.parsing.pdf.pages import Flow, PageContent

EDGE = 0.095  # of the page's height, at its top and at its foot
LEAST_PAGES = 3
MOST_AHEAD = 999  # of the page's place in the file: larger numbers are no pages'
ROMAN = "[ivxlc]{1,6}"
PAGE_NUMBER = re.compile(
    rf"[-–—|\[(\s]*(?:page|seite|p\.|s\.)?\s*[-–—]?\s*(?P<number>\d{{1,4}}|{ROMAN})\s*[-–—|\])]*",
    re.IGNORECASE,
)
OF_PAGES = re.compile(
    r"(?:page|seite|página|pagina)?\s*\d{1,4}\s*(?:of|von|de|di|/)\s*\d{1,4}|\d{1,4}\s*(?:쪽|페이지|頁|ページ)",
    re.IGNORECASE,
)
OUTER_NUMBER = re.compile(r"^\d{1,4}\s*[|·•–—-]?\s+|\s+[|·•–—-]?\s*\d{1,4}$")


def drop_repeated(pages: Sequence[PageContent]) -> None:
    """Take page numbers out, and lines at the edge of a page that an earlier page has at the same place.

    Only lines apart from the text and no larger than it count: a form's labels and a certificate's heading
    are content on each page. Numbers count as pages' if they grow with them.
    """
    if len(pages) < 2:
        return
    edges = [(page, line) for page in pages for line in _edges(page)]
    offsets = Counter(
        offset for page, line in edges if (offset := _offset(line.text, page.number)) is not None
    )
    numbers = {offset for offset, count in offsets.items() if count >= 2}
    places: dict[tuple[str, int | None, int], list[Line]] = {}
    dropped: set[int] = set()
    for page, line in edges:
        if OF_PAGES.fullmatch(line.text) or _offset(line.text, page.number) in numbers:
            dropped.add(id(line))
            continue
        for text, offset in {(line.text, None), _without_number(line.text, page.number)}:
            places.setdefault((text, offset, round(line.box[3] / 8)), []).append(line)
    for (text, _, _), lines in places.items():
        if len(lines) >= LEAST_PAGES:
            lines[0].text = text
            dropped.update(id(line) for line in lines[1:])
    for page in pages:
        for flow in page.flows:
            flow.blocks = list(_left(flow, dropped))


def _left(flow: Flow, dropped: set[int]) -> Iterator[Block]:
    for block in flow.blocks:
        if not block.table:
            block.lines = [line for line in block.lines if id(line) not in dropped]
        if block.lines:
            yield block


def _edges(page: PageContent) -> Iterator[Line]:
    """Lines near the top or the foot of the page that stand apart from its text, and its last number."""
    if not page.flows or not page.flows[0].blocks:
        return
    flow = page.flows[0]
    _, height = flow.frame.size
    lines = [line for block in flow.blocks for line in block.lines]
    texts = {id(line) for block in flow.blocks if not block.table for line in block.lines}
    inner = [
        line
        for line in lines
        if EDGE * height < line.box[1]
        and line.box[3] < (1 - EDGE) * height
        and not PAGE_NUMBER.fullmatch(line.text)
    ]
    top = min((line.box[1] for line in inner), default=height)
    foot = max((line.box[3] for line in inner), default=0.0)
    size = sorted(line.size for line in inner)[len(inner) // 2] if inner else 0.0
    ends = {id(flow.blocks[0].lines[0]), id(flow.blocks[-1].lines[-1])}
    for line in lines:
        if id(line) in ends & texts and PAGE_NUMBER.fullmatch(line.text):
            yield line
            continue
        at_top = line.box[3] <= EDGE * height and top - line.box[3] > 0.5 * line.size
        at_foot = line.box[1] >= (1 - EDGE) * height and line.box[1] - foot > 0.5 * line.size
        if id(line) in texts and (at_top or at_foot) and line.size <= 1.2 * (size or line.size):
            yield line


def _offset(text: str, page: int) -> int | None:
    """What a lone number is ahead of the page's; None for any other text. Roman ones count from far below."""
    match = PAGE_NUMBER.fullmatch(text.strip())
    if not match:
        return None
    number = match["number"]
    if number.isdigit():
        return int(number) - page if int(number) - page <= MOST_AHEAD else None
    return _roman(number.lower()) - page - 100_000


def _roman(text: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}[char] for char in text]
    return sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))


def _without_number(text: str, page: int) -> tuple[str, int | None]:
    """A line without the number at its end or beginning, and what that number is ahead of the page's."""
    match = OUTER_NUMBER.search(text)
    offset = int(re.sub(r"\D", "", match.group())) - page if match else 0
    if match is None or abs(offset) > MOST_AHEAD:
        return text, None
    return text[: match.start()] + text[match.end() :], offset
