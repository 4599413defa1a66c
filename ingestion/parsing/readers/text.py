"""Plain text, HTML, reStructuredText, CSV and JSON, in whatever encoding they come."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import decode
from ingestion.parsing.filetypes import HTML, RST
from ingestion.parsing.readers.extraction import extract
from ingestion.parsing.readers.markdown import add_markdown
from ingestion.parsing.types import ParseError

# kreuzberg would print these as text, and believe a charset that no longer holds.
HEAD_TAGS = re.compile(
    r"<meta\b[^<>]{0,9000}>|<link\b[^<>]{0,3000}>|<base\b[^<>]{0,3000}>|<\?xml[^<>]{0,200}\?>"
    r"|<title\b[^<>]{0,200}>[^<]{0,2000}</title>",
    re.IGNORECASE,
)
TITLE = re.compile(r"<title[^<>]{0,200}>([^<]{1,1000})</title>", re.IGNORECASE)
# kreuzberg drops what lies deeper than 63 elements, so wrappers go first.
MOST_DEPTH, ABSURD_DEPTH = 60, 5000
BLOCKS = re.compile(r"</?(?:div|section|article|main|center|form|fieldset|blockquote)\b[^<>]{0,5000}>", re.I)
WRAPPERS = re.compile(r"</?(?:span|font|b|i|u|big|small|em|strong)\b[^<>]{0,5000}>", re.I)
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)\b[^<>]{0,5000}?(/?)>")
# Elements that authors need not close; each ends where its like begins.
UNCLOSED = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "dt",
        "dd",
        "tr",
        "td",
        "th",
        "thead",
        "tbody",
        "tfoot",
        "option",
        "colgroup",
        "html",
        "body",
    ]
)
PRE = re.compile(r"(</?pre\b[^<>]{0,5000}>)", re.IGNORECASE)
LINE_ENDS = re.compile(r"[\r\n]+")
DELIMITERS = ",;\t|"


def add_plain(text: str, builder: TextBuilder) -> None:
    """Text as it is: empty lines part the paragraphs."""
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        builder.paragraph(block)


def add_html(data: bytes, builder: TextBuilder) -> None:
    text = decode(data)
    source = _unwrapped(HEAD_TAGS.sub("", text))
    depth = _depth(source, ABSURD_DEPTH)
    if depth >= ABSURD_DEPTH:
        raise ParseError("too_complex")
    if depth >= MOST_DEPTH:
        source = WRAPPERS.sub(" ", BLOCKS.sub("\n<br>\n", source))
        if _depth(source, MOST_DEPTH) >= MOST_DEPTH:
            raise ParseError("too_complex")
    result = extract(source.encode("utf-8", "replace"), HTML.content_type, "markdown")
    if not builder.title and (title := TITLE.search(text)):
        builder.title = html.unescape(title[1])
    add_markdown(result.content, builder, generated=True)


def _unwrapped(source: str) -> str:
    """The source with its line ends as spaces, as browsers show them, but in <pre>; kreuzberg keeps them."""
    pieces = PRE.split(source)  # a text, a tag, a text, ...
    for place in range(0, len(pieces), 2):
        in_pre = place > 0 and not pieces[place - 1].startswith("</")
        if not in_pre:
            pieces[place] = LINE_ENDS.sub(" ", pieces[place])
    return "".join(pieces)


def _depth(source: str, most: int) -> int:
    """How deep elements lie in each other, as far as `most`."""
    depth = deepest = 0
    for tag in TAG.finditer(source):
        if tag[2].lower() not in UNCLOSED and not tag[3]:
            depth = max(depth - 1, 0) if tag[1] else depth + 1
            deepest = max(deepest, depth)
            if depth >= most:
                break
    return deepest


def read_text(path: Path, builder: TextBuilder) -> None:
    add_plain(decode(path.read_bytes()), builder)


def read_html(path: Path, builder: TextBuilder) -> None:
    add_html(path.read_bytes(), builder)


def read_rst(path: Path, builder: TextBuilder) -> None:
    source = decode(path.read_bytes()).encode("utf-8", "replace")
    add_markdown(extract(source, RST.content_type, "markdown").content, builder, generated=True)


def read_csv(path: Path, builder: TextBuilder) -> None:
    """A table whose first row is the header."""
    text = decode(path.read_bytes())
    csv.field_size_limit(len(text) + 1)
    delimiter = max(DELIMITERS, key=_regularity(text[:20_000]))
    rows = csv.reader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=delimiter)
    try:
        builder.table(list(rows))
    except csv.Error as error:
        raise ParseError("corrupt") from error


def read_json(path: Path, builder: TextBuilder) -> None:
    """The values with their names, an object of a list a paragraph. What is no JSON is taken as text."""
    text = decode(path.read_bytes())
    try:
        value = json.loads(text)
    except ValueError:
        try:
            value = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError:
            add_plain(text, builder)
            return
    records = value if isinstance(value, list) else [value]
    for record in records:
        builder.paragraph("\n".join(_lines(record, "")))


def _lines(value: Any, name: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _lines(child, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for item in value:
            yield from _lines(item, name)
    else:
        items = value if isinstance(value, list) else [value]
        shown = ", ".join(str(item) for item in items if item is not None and item != "")
        if shown:
            yield f"{name}: {shown}" if name else shown


def _regularity(sample: str) -> Any:
    """How well a delimiter explains a sample: rows with the same number of cells, times cells."""
    lines = [line for line in sample.splitlines()[:50] if line.strip()][:-1] or sample.splitlines()[:1]

    def score(delimiter: str) -> float:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        usual = max(set(widths), key=widths.count, default=1)
        return 0.0 if usual < 2 else widths.count(usual) / len(widths) + usual / 1000

    return score
