"""Sections of a Markdown file that programs write, so that figures in the docs are never typed by hand."""

from __future__ import annotations

import re
from pathlib import Path


def write_section(path: Path, name: str, markdown: str) -> None:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->`; at the end of the file where absent.

    Raises:
        ValueError: the file opens the section and does not close it.
    """
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    section = f"{opening}\n{markdown.strip()}\n{closing}"
    if opening not in text:
        before = f"{text.rstrip()}\n\n" if text.strip() else ""
        path.write_text(f"{before}{section}\n", encoding="utf-8")
        return
    pattern = re.compile(re.escape(opening) + ".*?" + re.escape(closing), re.DOTALL)
    replaced, count = pattern.subn(lambda _: section, text, count=1)
    if not count:
        raise ValueError(f"{path}: {opening} is not followed by {closing}.")
    path.write_text(replaced, encoding="utf-8")


def table(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"
