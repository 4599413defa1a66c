"""What the builders read: a small Markdown, as a title, a date and a list of blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

AUTHOR = "Orvelle Pumps"
HANGUL = re.compile("[가-힣]")


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a document: "heading", "paragraph", "item" and "page" have text, "table" has rows."""

    kind: str
    text: str = ""
    level: int = 0
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    title: str
    date: datetime
    blocks: tuple[Block, ...]

    @property
    def language(self) -> str:
        return "ko" if HANGUL.search(self.title) else "en"


def read_source(path: Path) -> Source:
    front, body = path.read_text(encoding="utf-8").removeprefix("---\n").split("\n---\n", 1)
    title, *blocks = list(read_blocks(body))
    date = datetime.fromisoformat(front.removeprefix("date: ").strip()).replace(tzinfo=UTC)
    return Source(title.text, date, tuple(blocks))


def read_blocks(body: str) -> Iterator[Block]:
    for part in re.split(r"\n\s*\n", body.strip()):
        lines = part.split("\n")
        if part == "---":
            yield Block("page")
        elif heading := re.fullmatch(r"(#+) (.+)", part):
            yield Block("heading", heading[2], len(heading[1]))
        elif part.startswith("|"):
            cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
            yield Block("table", rows=tuple(row for row in cells if set("".join(row)) != {"-"}))
        elif part.startswith("- "):
            for item in " ".join(lines).removeprefix("- ").split(" - "):
                yield Block("item", item)
        else:
            yield Block("paragraph", " ".join(lines))
