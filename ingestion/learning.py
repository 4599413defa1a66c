"""Learning a library: the encoder is fitted to its documents, and goes live only if it ranks better."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from ingestion import engine
from ingestion.models import Chunk, IndexVersion, Library
from ingestion.pipeline import passage
from ingestion.reindex import reindex
from retrieval.types import Passage
from training.adapt import AdaptReport, Progress, adapt


class NotLearnableError(Exception):
    """The encoder is not a static model in a folder, so there is no table to train."""


def learn(library: Library, progress: Progress = lambda share: None) -> AdaptReport:
    """Train the live encoder on the library's own documents; switch to the result if it is better.

    No queries or judgements are used. The switch is a new index version, built beside the live one, which
    stays for a rollback.

    Raises `NotLearnableError`, and `ReindexError` if the new index does not pass its check.
    """
    live = engine.live_version()
    name = f"models/learned-{timezone.now():%Y%m%d-%H%M%S}"
    folder = Path(engine.model_path(live.encoder))
    if not (folder / "modules.json").is_file():
        raise NotLearnableError(f"The encoder {live.encoder} is not a model folder of sentence-transformers.")
    try:
        report = adapt(folder, _documents(library), settings.DATA_DIR / name, progress=progress)
    except ValueError as error:
        raise NotLearnableError(f"The encoder {live.encoder} cannot be trained: {error}") from error
    if report.better:
        reindex(
            IndexVersion(
                collection=engine.new_collection(),
                encoder=name,
                dimensions=live.dimensions,
                chunk_words=live.chunk_words,
                average_length=live.average_length,
                fusion=asdict(report.weights),
            )
        )
    return report


def _documents(library: Library) -> Iterator[list[Passage]]:
    chunks = Chunk.objects.filter(document__library=library).select_related("document")
    ordered = chunks.order_by("document_id", "number").iterator(chunk_size=2000)
    for _, group in groupby(ordered, key=lambda chunk: chunk.document_id):
        yield [passage(chunk) for chunk in group]
