"""What an index version takes from the corpus before it is filled: no queries or judgements are used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Sum

from indexing import engine, frequencies
from indexing.models import IndexVersion
from indexing.passages import passage
from library.models import Chunk, Document, Library
from retrieval.lexical import average_length
from retrieval.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from retrieval.types import Passage
from training.calibrate import calibrate
from training.rotation import fold_rotation

SAMPLE = 20_000  # passages of the whole corpus
LIBRARY_SAMPLE = 5_000
LEAST_PASSAGES = 200  # of a library whose weights and lengths are fitted
MOST_LIBRARIES = 50


def fit(version: IndexVersion) -> None:
    """Set the usual lengths, the rotated encoder and the fusion weights of an unsaved version.

    The term frequencies of every library are counted again, since the analysis may be another one by now.

    Weights that it has already stay: a model that learned a library was judged on held-out passages, which
    are not to be had again.
    """
    sample = _passages(Chunk.objects.all(), SAMPLE)
    if not sample:
        return
    for library in Library.objects.values_list("pk", flat=True):
        frequencies.recount(library)
    version.lengths = _lengths()
    _rotate(version, sample)
    if not version.learned:
        version.fusion = _weights(version)


def fusion_row(passages: int, weights: FusionWeights) -> dict[str, Any]:
    """A library's entry in `IndexVersion.fusion`."""
    return {"passages": passages, "weights": asdict(weights)}


def _lengths() -> dict[str, float]:
    """Return the usual length of a passage of each large library, by its own passages alone."""
    return {
        str(library): average_length(_passages(Chunk.objects.filter(document__library=library), 2000))
        for library, _ in _large_libraries()
    }


def _large_libraries() -> Iterable[tuple[UUID, int]]:
    """Return the libraries that are large enough to be fitted to, with their numbers of passages."""
    shown = Document.objects.filter(active_version__isnull=False)
    counted = shown.values_list("library").annotate(passages=Sum("chunk_count"))
    return counted.filter(passages__gte=LEAST_PASSAGES).order_by("-passages", "library")[:MOST_LIBRARIES]


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
    rows = {}
    for library, count in _large_libraries():
        passages = _passages(Chunk.objects.filter(document__library=library), LIBRARY_SAMPLE)
        weights, _ = calibrate(encoder.encode_passages, passages, passages, DEFAULT_WEIGHTS)
        rows[str(library)] = fusion_row(count, weights)
    return rows


def _passages(chunks: Any, limit: int) -> list[Passage]:
    """The first by id, which says nothing about their order: a sample."""
    return [passage(chunk) for chunk in chunks.select_related("document").order_by("pk")[:limit]]
