"""The passages that ingestion makes of the demo library."""

from __future__ import annotations

from pathlib import Path

from ingestion.chunking import chunk
from ingestion.parsing import parse
from ingestion.parsing.uploads import detect
from retrieval.types import Passage

FOLDER = Path(__file__).resolve().parents[1] / "demo" / "documents"


def chunks() -> list[str]:
    """Chunks as the reranker reads them: title and heading, then the text."""
    return [
        Passage(span.text, title=path.stem, heading=span.heading).full
        for path in sorted(FOLDER.iterdir())
        if path.is_file()
        for span in chunk(parse(path, detect(path.name).content_type))
    ]
