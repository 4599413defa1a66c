"""HTML: the page's own text without its navigation, code as it is written, tables with merged cells.

selectolax (Lexbor) reads the source as browsers do; what is a block, a list or a table is decided here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import decode
from ingestion.parsing.readers.webpage_blocks import SILENT, Assembler, walk
from ingestion.parsing.types import ParseError

ABSURD_DEPTH = 5000
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)\b[^<>]{0,5000}?(/?)>")
# Elements that authors need not close; each ends where its like begins.
UNCLOSED_NAMES = """
    area base br col embed hr img input link meta param source track wbr p li dt dd tr td th thead tbody
    tfoot option colgroup html body
"""
UNCLOSED = frozenset(UNCLOSED_NAMES.split())
PIECE = 3 << 20  # characters; the parser needs about thirty bytes for each
PIECE_END = re.compile(r"</(?:tr|p|div|li|table|pre|section|article|h[1-6])\s*>|\n", re.IGNORECASE)
MAIN = "main, [role=main]"
FURNITURE = "nav, [role=navigation], [role=banner], [role=contentinfo], [role=search], [role=complementary]"
SITE_PARTS = ("header", "footer", "aside")  # of the page, not of an article
CONSENT = re.compile(r"cookie|consent|gdpr|onetrust|cmp-?(?:banner|box)", re.IGNORECASE)
CONSENT_TAGS = "div, section, aside, dialog, form"
MOST_CONSENT = 2000  # characters; a longer text with such a name is an article on the subject
MOST_OF_PAGE = 0.5
DATES = (
    'meta[property="article:modified_time"], meta[property="article:published_time"], '
    "meta[name=date], meta[name='dcterms.modified'], meta[name='DC.date']"
)


def read(path: Path, builder: TextBuilder) -> None:
    add_html(path.read_bytes(), builder)


def add_html(data: bytes, builder: TextBuilder) -> None:
    """Put a page's text into the builder. Raises `ParseError` `too_complex` for tags nested absurdly deep."""
    source = decode(data)
    if _too_deep(source):
        raise ParseError("too_complex")
    pieces = list(_pieces(source))
    for piece in pieces:
        _add_piece(piece, builder, whole=len(pieces) == 1)


def _add_piece(source: str, builder: TextBuilder, *, whole: bool) -> None:
    page = LexborHTMLParser(source)
    _describe(page, builder)
    if page.body is None:
        return
    for root in _own(page, page.body) if whole else [page.body]:
        assembler = Assembler(builder)
        walk(root, assembler)
        assembler.end()


def _describe(page: LexborHTMLParser, builder: TextBuilder) -> None:
    title, date = page.css_first("head title"), page.css_first(DATES)
    if not builder.title and title is not None:
        builder.title = title.text()
    if not builder.date and date is not None:
        builder.date = date.attributes.get("content") or ""


def _own(page: LexborHTMLParser, body: LexborNode) -> list[LexborNode]:
    """The parts of a page that are its own text; the whole body where nothing else holds words."""
    whole = _size(body)
    for banner in page.css(CONSENT_TAGS):
        names = f"{banner.attributes.get('id') or ''} {banner.attributes.get('class') or ''}"
        if CONSENT.search(names) and _size(banner) < min(MOST_CONSENT, MOST_OF_PAGE * whole):
            banner.decompose()
    if (main := page.css_first(MAIN)) is not None and _size(main):
        return [main]
    articles = [node for node in page.css("article") if not _within(node, "article")]
    if sum(map(_size, articles)) > MOST_OF_PAGE * whole:
        return articles
    furniture = [node for node in page.css(FURNITURE) if node.tag != "body"]
    furniture += [
        node
        for node in page.css(", ".join(SITE_PARTS))
        if not _within(node, "article") and not node.css_first("h1")
    ]
    outermost = [node for node in furniture if not any(_is_in(node, other) for other in furniture)]
    if sum(map(_size, outermost)) < whole:
        for node in outermost:
            node.decompose()
    return [body]


def _size(node: LexborNode) -> int:
    """Characters of text that people see."""
    return sum(len("".join(text.split())) for text in _texts(node))


def _texts(node: LexborNode) -> Iterator[str]:
    for inner in node.traverse(include_text=True):
        if inner.is_text_node and (inner.parent is None or inner.parent.tag not in SILENT):
            yield inner.text_content or ""


def _within(node: LexborNode, tag: str) -> bool:
    parent = node.parent
    while parent is not None and parent.tag != tag:
        parent = parent.parent
    return parent is not None


def _is_in(node: LexborNode, other: LexborNode) -> bool:
    parent = node.parent
    while parent is not None and parent.mem_id != other.mem_id:
        parent = parent.parent
    return parent is not None


def _pieces(source: str) -> Iterator[str]:
    """The source, cut after a block where it is too large to be parsed at once."""
    start = 0
    while len(source) - start > PIECE:
        found = PIECE_END.search(source, start + PIECE, start + 2 * PIECE)
        end = found.end() if found else start + PIECE
        yield source[start:end]
        start = end
    yield source[start:]


def _too_deep(source: str) -> bool:
    """Whether elements lie so deep in each other that the parser's time would grow with the square."""
    depth = 0
    for tag in TAG.finditer(source):
        if tag[2].lower() not in UNCLOSED and not tag[3]:
            depth = max(depth - 1, 0) if tag[1] else depth + 1
            if depth >= ABSURD_DEPTH:
                return True
    return False
