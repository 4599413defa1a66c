"""Names and values, as JSON and the head of a Markdown file have them, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def field_lines(value: Any, name: str = "") -> Iterator[str]:
    """ "author.name: Kim" for each value; a list of plain values on one line."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from field_lines(child, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for item in value:
            yield from field_lines(item, name)
    else:
        items = value if isinstance(value, list) else [value]
        shown = ", ".join(str(item) for item in items if item is not None and item != "")
        if shown:
            yield f"{name}: {shown}" if name else shown
