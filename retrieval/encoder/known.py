"""What the cards of well-known transformers ask for and their files do not say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model wants to be used. `prompts`: "query" and "document" to what is put before each text.

    `layer_norm`: over all dimensions, without learned weights, before they are cut: a Matryoshka model that
    was trained behind such a layer is cut wrongly without it (card of nomic-embed-text-v1.5).
    """

    prompts: Mapping[str, str] = field(default_factory=dict)
    layer_norm: bool = False


_NOMIC = {"query": "search_query: ", "document": "search_document: "}
_E5 = {"query": "query: ", "document": "passage: "}
_BGE = {"query": "Represent this sentence for searching relevant passages: ", "document": ""}

KNOWN = {
    "nomic-embed-text-v1.5": Recipe(_NOMIC, layer_norm=True),
    "nomic-embed-text-v1": Recipe(_NOMIC),
    "modernbert-embed-base": Recipe(_NOMIC),
    "multilingual-e5-small": Recipe(_E5),
    "multilingual-e5-base": Recipe(_E5),
    "multilingual-e5-large": Recipe(_E5),
    "e5-small-v2": Recipe(_E5),
    "e5-base-v2": Recipe(_E5),
    "e5-large-v2": Recipe(_E5),
    "bge-small-en-v1.5": Recipe(_BGE),
    "bge-base-en-v1.5": Recipe(_BGE),
    "bge-large-en-v1.5": Recipe(_BGE),
}


def recipe(name_or_folder: str) -> Recipe:
    """Find a model by the last part of its name, or any part of a path: copies keep the model's name.

    That also finds a model in the hub's cache (`models--nomic-ai--nomic-embed-text-v1.5/snapshots/1a2b`).
    """
    for part in reversed(Path(name_or_folder).parts):
        name = part.rsplit("--", 1)[-1].lower()
        if name in KNOWN:
            return KNOWN[name]
    return Recipe()
