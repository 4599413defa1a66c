"""quarry.json in a model folder: what Quarry must know that sentence-transformers' files do not say."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FILE_NAME = "quarry.json"
MAX_LENGTH = 512


@dataclass(frozen=True, slots=True)
class RerankerCard:
    """A cross-encoder's name, what it reads, and how far its scores are to be trusted."""

    name: str
    languages: frozenset[str] = frozenset()  # ISO 639-1; empty where nobody said
    weight: float = 0.5  # of its scores against those of the first stage, 0 to 1
    spread: float | None = None  # its scores' usual standard deviation over a query's candidates
    max_length: int = MAX_LENGTH  # tokens of a pair

    def reads(self, language: str) -> bool:
        """Whether it was trained for passages of this ISO 639-1 language; True where either is not known."""
        return not self.languages or not language or language in self.languages


def load_card(name_or_folder: str | Path) -> RerankerCard:
    """The card of a model folder; the defaults for a model without one.

    Raises:
        ValueError: quarry.json is not a card.
    """
    file = Path(name_or_folder) / FILE_NAME
    if not file.is_file():
        return RerankerCard(name=str(name_or_folder))
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
        return RerankerCard(
            name=str(values["name"]),
            languages=frozenset(values["languages"]),
            weight=float(values["weight"]),
            spread=float(values["spread"]) if "spread" in values else None,
            max_length=int(values["max_length"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{file} is not a reranker's card: {error!r}") from error
