"""Markdown files by markdown-it: code as it is written, the front matter as fields, notes and lists."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import decode
from ingestion.parsing.readers.fields import field_lines
from ingestion.parsing.readers.markdown_inline import inline_text
from ingestion.parsing.readers.webpage import add_html

FRONT_MATTER = re.compile(r"\A(---|\+\+\+)[ \t]*\n(.{0,20000}?)\n(?:\1|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
PIECE = 100_000  # characters; the parser's time is to grow with the length, and no faster
PIECE_END = re.compile(r"\n[ \t]*\n(?=\S)")
FENCE = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
LONGEST_LINE = 20_000  # characters; a longer one is data, and its marks are no marks
MOST_NESTED = 200  # the parser leaves out what lies deeper
NESTED = re.compile(r"^(?:[ \t]*(?:[-*+>]|\d{1,9}[.)])){50}", re.MULTILINE)
INDENT = "  "


def read(path: Path, builder: TextBuilder) -> None:
    text = decode(path.read_bytes()).replace("\r\n", "\n").replace("\r", "\n")
    if match := FRONT_MATTER.match(text):
        _add_fields(match[1], match[2], builder)
        text = text[match.end() :]
    parser = (
        MarkdownIt("commonmark", {"maxNesting": MOST_NESTED})
        .enable(["table", "strikethrough"])
        .use(footnote_plugin)
    )
    for piece in _pieces(text):
        if max(map(len, piece.split("\n"))) > LONGEST_LINE or NESTED.search(piece):
            builder.paragraph(piece)
        else:
            _Blocks(builder).add(parser.parse(piece))


def _pieces(text: str) -> Iterator[str]:
    """The text cut at empty lines that are in no fenced code."""
    start = counted = fences = 0
    for match in PIECE_END.finditer(text):
        fences += len(FENCE.findall(text, counted, match.end()))
        counted = match.end()
        if counted - start > PIECE and fences % 2 == 0:
            yield text[start:counted]
            start = counted
    yield text[start:]


def _add_fields(mark: str, text: str, builder: TextBuilder) -> None:
    """The front matter: title and date are the document's, all else goes into the text by its names."""
    fields = _fields(mark, text)
    if not isinstance(fields, dict):
        builder.paragraph(text)
        return
    named = {str(key).lower(): value for key, value in fields.items()}
    builder.title = str(named.get("title") or "")
    date = named.get("date")
    builder.date = date.isoformat() if isinstance(date, datetime.date) else str(date or "")
    rest = {key: value for key, value in fields.items() if str(key).lower() not in {"title", "date"}}
    builder.paragraph("\n".join(field_lines(rest)))


def _fields(mark: str, text: str) -> Any:
    try:
        if mark == "+++":
            return tomllib.loads(text)
        # A few aliases can stand for a billion values.
        aliases = any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text))
        return None if aliases else yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


class _Blocks:
    """Turns the tokens of a text into blocks. The lines of a list stay together."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._lines: list[str] = []
        self._lists: list[int | None] = []  # of each open list the next number, None where it has none
        self._mark = ""  # of the item that has just begun
        self._rows: list[list[str]] = []

    def add(self, tokens: list[Token]) -> None:
        for place, token in enumerate(tokens):
            if token.type == "inline":
                self._text(inline_text(token), tokens[place - 1])
            elif token.type in {"fence", "code_block"}:
                self._flush()
                self._builder.paragraph(token.content.rstrip("\n"))
            elif token.type == "html_block":
                self._flush()
                add_html(b"\xef\xbb\xbf" + token.content.encode("utf-8", "replace"), self._builder)
            else:
                self._structure(token)
        self._flush()

    def _text(self, text: str, around: Token) -> None:
        if around.type == "heading_open":
            self._flush()
            self._builder.heading(int(around.tag[1]), text)
        elif around.type in {"th_open", "td_open"}:
            self._rows[-1].append(text)
        else:
            indent = INDENT * max(len(self._lists) - 1, 0)
            self._lines.append(f"{indent}{self._mark}{text}")
            self._mark = ""
            if not self._lists:
                self._flush()

    def _structure(self, token: Token) -> None:
        kind = token.type
        if kind in {"bullet_list_open", "ordered_list_open"}:
            self._lists.append(int(token.attrGet("start") or 1) if kind[0] == "o" else None)
        elif kind in {"bullet_list_close", "ordered_list_close"}:
            self._lists.pop()
            if not self._lists:
                self._flush()
        elif kind == "list_item_open":
            number = self._lists[-1]
            self._mark = "- " if number is None else f"{number}. "
            self._lists[-1] = None if number is None else number + 1
        elif kind == "footnote_open":
            self._mark = f"[{token.meta.get('label') or token.meta.get('id', 0) + 1}] "
        elif kind == "tr_open":
            self._rows.append([])
        elif kind == "table_close":
            self._flush()
            self._builder.table(self._rows)
            self._rows = []

    def _flush(self) -> None:
        self._builder.paragraph("\n".join(self._lines))
        self._lines = []
