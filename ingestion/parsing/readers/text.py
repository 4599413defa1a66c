"""Plain text, reStructuredText, CSV and JSON, in whatever encoding they come."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import decode
from ingestion.parsing.filetypes import RST
from ingestion.parsing.readers.extraction import extract
from ingestion.parsing.readers.fields import field_lines
from ingestion.parsing.readers.markdown import add_markdown
from ingestion.parsing.types import ParseError

DELIMITERS = ",;\t|"


def add_plain(text: str, builder: TextBuilder) -> None:
    """Text as it is: empty lines part the paragraphs."""
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        builder.paragraph(block)


def read_text(path: Path, builder: TextBuilder) -> None:
    add_plain(decode(path.read_bytes()), builder)


def read_rst(path: Path, builder: TextBuilder) -> None:
    source = decode(path.read_bytes()).encode("utf-8", "replace")
    add_markdown(extract(source, RST.content_type, "markdown").content, builder)


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
        builder.paragraph("\n".join(field_lines(record)))


def _regularity(sample: str) -> Any:
    """How well a delimiter explains a sample: rows with the same number of cells, times cells."""
    lines = [line for line in sample.splitlines()[:50] if line.strip()][:-1] or sample.splitlines()[:1]

    def score(delimiter: str) -> float:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        usual = max(set(widths), key=widths.count, default=1)
        return 0.0 if usual < 2 else widths.count(usual) / len(widths) + usual / 1000

    return score
