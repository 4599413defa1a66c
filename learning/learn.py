"""Learning a library: the encoder is fitted to its documents, and goes live only if it ranks better."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from indexing import engine
from indexing.fitting import fusion_row
from indexing.passages import passage
from indexing.reindex import reindex
from library.models import Chunk, Library
from retrieval.types import Passage
from training.adapt import AdaptReport, Progress, adapt


def learn(library: Library, progress: Progress = lambda share: None) -> AdaptReport:
    """Train the encoder that the settings name on the library's documents; switch if it is better.

    One model serves all libraries, so that the documents of the others are learned too, and none of them may
    fare worse than before. No queries or judgements are used. The switch is a new index version, built beside
    the live one, which stays for a rollback.

    Raises `EncoderUnavailableError` or `NotStaticError` where there is no table to train, and `ReindexError`
    if the new index does not pass its check.
    """
    name = f"models/learned-{timezone.now():%Y%m%d-%H%M%S}"
    chunks = Chunk.objects.all()
    report = adapt(
        engine.model_path(settings.ENCODER),
        _documents(chunks.filter(document__library=library)),
        settings.DATA_DIR / name,
        others=_documents(chunks.exclude(document__library=library)),
        progress=progress,
    )
    if report.better:
        version = engine.new_version(learned=name)
        fusion = engine.live_version().fusion
        version.fusion = {**fusion, str(library.pk): fusion_row(report.passages, report.weights)}
        reindex(version)
    return report


def _documents(chunks: QuerySet[Chunk]) -> Iterator[list[Passage]]:
    ordered = chunks.select_related("document").order_by("document_id", "number").iterator(chunk_size=2000)
    for _, group in groupby(ordered, key=lambda chunk: chunk.document_id):
        yield [passage(chunk) for chunk in group]
