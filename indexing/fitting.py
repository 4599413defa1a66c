"""What an index version takes from the corpus before it is filled: no queries or judgements are used."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db.models import Sum

from indexing import engine
from indexing.models import IndexVersion
from indexing.passages import passage
from library.models import Chunk, Document
from retrieval.fusion import DEFAULT_WEIGHTS, FusionWeights
from retrieval.lexical import average_length
from retrieval.stemming import DEFAULT, STEMMED
from retrieval.types import Passage
from training.calibrate import calibrate
from training.rotation import fold_rotation

SAMPLE = 20_000  # passages of the whole corpus
LIBRARY_SAMPLE = 5_000
LEAST_PASSAGES = 200  # of a library whose weights are fitted
MOST_LIBRARIES = 50


def fit(version: IndexVersion) -> None:
    """Set the languages, the mean length, the rotated encoder and the fusion weights of an unsaved version.

    Weights that it has already stay: a model that learned a library was judged on held-out passages, which
    are not to be had again.
    """
    sample = _passages(Chunk.objects.all(), SAMPLE)
    if not sample:
        return
    version.languages = _languages()
    version.average_length = average_length(sample[:2000], languages=version.languages)
    _rotate(version, sample)
    if not version.learned:
        version.fusion = _weights(version)


def fusion_row(passages: int, weights: FusionWeights) -> dict[str, Any]:
    """A library's entry in `IndexVersion.fusion`."""
    return {"passages": passages, "weights": asdict(weights)}


def _languages() -> list[str]:
    """Those of all documents that can be stemmed, the one of most passages first."""
    documents = Document.objects.filter(active_version__isnull=False, language__in=STEMMED)
    counted = (
        documents.values("language").annotate(passages=Sum("chunk_count")).order_by("-passages", "language")
    )
    return [row["language"] for row in counted] or [DEFAULT]


def _rotate(version: IndexVersion, sample: list[Passage]) -> None:
    """Put what tells the passages apart into the dimensions that are coded, where the encoder is a table."""
    model, name = engine.model_path(version.encoder), f"models/rotated-{version.collection}"
    if fold_rotation(
        model,
        sample,
        version.dimensions,
        settings.DATA_DIR / name,
        learned=bool(version.learned),
        code_dimensions=version.code_dimensions,
    ):
        version.encoder = name


def _weights(version: IndexVersion) -> dict[str, dict[str, Any]]:
    encoder = engine.encoder(version.encoder, version.dimensions)
    shown = Document.objects.filter(active_version__isnull=False)
    counted = shown.values_list("library").annotate(passages=Sum("chunk_count"))
    large = counted.filter(passages__gte=LEAST_PASSAGES).order_by("-passages", "library")[:MOST_LIBRARIES]
    rows = {}
    for library, count in large:
        passages = _passages(Chunk.objects.filter(document__library=library), LIBRARY_SAMPLE)
        weights, _ = calibrate(encoder.encode_passages, passages, passages, DEFAULT_WEIGHTS)
        rows[str(library)] = fusion_row(count, weights)
    return rows


def _passages(chunks: Any, limit: int) -> list[Passage]:
    """The first by id, which says nothing about their order: a sample."""
    return [passage(chunk) for chunk in chunks.select_related("document").order_by("pk")[:limit]]
