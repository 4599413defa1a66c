"""Plain text, reStructuredText and JSON, in whatever encoding they come."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import decode
from ingestion.parsing.filetypes import RST
from ingestion.parsing.readers.extraction import extract
from ingestion.parsing.readers.fields import field_lines
from ingestion.parsing.readers.markdown import add_markdown


def add_plain(text: str, builder: TextBuilder) -> None:
    """Text as it is: empty lines part the paragraphs."""
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n")):
        builder.paragraph(block)


def read_text(path: Path, builder: TextBuilder) -> None:
    add_plain(decode(path.read_bytes()), builder)


def read_rst(path: Path, builder: TextBuilder) -> None:
    source = decode(path.read_bytes()).encode("utf-8", "replace")
    add_markdown(extract(source, RST.content_type, "markdown").content, builder)


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
