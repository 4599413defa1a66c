"""PDF, page by page."""

from __future__ import annotations

import re
from pathlib import Path

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.filetypes import PDF
from ingestion.parsing.readers.extraction import extract, metadata
from ingestion.parsing.types import ParseError

BULLET = re.compile(r"^\s*(?:[•●○▪■□◦‣·*–—-]|\(?\d{1,3}[.)]|\(?[a-zA-Z가-하][.)]|[①-⑳])\s")
SENTENCE_END = re.compile(r"[.!?:;。！？…][\"'”’)\]]*$")
CJK_END, CJK_START = (
    re.compile(r"[\u3040-\u30ff\u3400-\u9fff、。，]$"),
    re.compile(r"^[\u3040-\u30ff\u3400-\u9fff]"),
)
HYPHEN_END = re.compile(r"(?<=[^\W\d_])[-\u00ad\u2010\ufffe\x02]$")
FULL_LINE = 0.7  # of the page's typical long line


def read(path: Path, builder: TextBuilder) -> None:
    _refuse_endless(path, builder.limits.pages)
    result = extract(path, PDF.content_type, "plain")
    facts = metadata(result)
    builder.title = facts.get("title") or ""
    builder.date = facts.get("created_at") or facts.get("modified_at") or ""
    for page in result.pages or []:
        builder.page(page["page_number"])
        builder.paragraph(reflow(page["content"]))


def reflow(page: str) -> str:
    """Lines joined to paragraphs where the layout broke them, and words that it hyphenated made whole.

    A line runs on into the next if it is about as long as the page's lines are, or if the next starts in
    lower case.
    """
    lines = [line.strip() for line in re.split(r"\r\n?|\n", page)]
    lengths = sorted(len(line) for line in lines if line)
    if not lengths:
        return ""
    full = FULL_LINE * lengths[int(0.9 * (len(lengths) - 1))]
    out: list[str] = []
    open_line = False
    for line in lines:
        if not line:
            open_line = False
            out.append("")
            continue
        runs_on = open_line or (bool(out) and line[:1].islower() and _unfinished(out[-1]))
        if runs_on and not BULLET.match(line):
            out[-1] = _join(out[-1], line)
        else:
            out.append(line)
        open_line = len(line) >= max(full, 20) and not (
            SENTENCE_END.search(line) and len(line) < full / FULL_LINE
        )
    return "\n".join(out)


def _unfinished(line: str) -> bool:
    return len(line) >= 10 and line[-1].isalpha()


def _join(first: str, second: str) -> str:
    if HYPHEN_END.search(first) and second[:1].islower():
        return first[:-1] + second
    if CJK_END.search(first) and CJK_START.search(second):
        return first + second
    return f"{first} {second}"


def _refuse_endless(path: Path, most: int) -> None:
    """The page trees say how many pages there are, mostly in the open; cheaper to ask than to extract."""
    with path.open("rb") as file:
        tail = b""
        while block := file.read(1 << 20):
            counts = re.findall(rb"/Type\s*/Pages\b[^>]{0,200}/Count\s+(\d{1,12})", tail + block)
            if any(int(count) > most for count in counts):
                raise ParseError("too_complex")
            tail = block[-300:]
