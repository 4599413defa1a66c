"""The demo library: something to search on the first start."""

from __future__ import annotations

import json
from functools import cache
from typing import TypedDict

from django.conf import settings
from django.contrib.auth import get_user_model

from ingestion.intake import ingest_paths
from library.models import Library

LIBRARY = "Demo"
FOLDER = settings.BASE_DIR / "demo"


class Question(TypedDict):
    question: str
    document: str
    language: str


def load_demo() -> None:
    """Queue the demo documents on the first start; a load that was cut off goes on where it stopped."""
    loaded = settings.DATA_DIR / "demo-loaded"
    if loaded.exists() or Library.objects.exclude(name=LIBRARY).exists():
        return
    library, _ = Library.objects.get_or_create(
        name=LIBRARY, defaults={"description": "A made-up company's documents, to try Quarry on."}
    )
    admin = get_user_model().objects.filter(is_superuser=True).first()
    for _ in ingest_paths(library, [FOLDER / "documents"], user=admin):
        pass
    loaded.touch()


@cache
def questions() -> list[Question]:
    return list(json.loads((FOLDER / "questions.json").read_text(encoding="utf-8")))
