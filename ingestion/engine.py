"""The engine of this process: its index, and the models of an index version. Each is made at first use."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from functools import cache, lru_cache

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from ingestion.models import IndexVersion
from retrieval.encoder import Encoder, load_encoder
from retrieval.index import IndexSettings, open_index
from retrieval.index.base import CollectionSpec, Index, IndexUnavailableError
from retrieval.lexical import Lexical

logger = logging.getLogger(__name__)

LIVE_ALIAS = "live"
AVERAGE_LENGTH = 150.0  # stemmed words without stop words in a passage of the default size


@cache
def index() -> Index:
    return open_index(IndexSettings(settings.INDEX_DIR, settings.QDRANT_URL, **settings.QDRANT))


def close_index() -> None:
    """Let go of the index; the next use opens it again. For commands, which end, and for tests."""
    if index.cache_info().currsize:
        index().close()
    index.cache_clear()


@lru_cache(maxsize=4)
def encoder(name: str, dimensions: int) -> Encoder:
    return load_encoder(model_path(name), dimensions)


def model_path(name: str) -> str:
    """The folder of a model that is named relative to the data folder (learned here) or to the project
    (shipped); any other name as it is. Rows keep the relative name, so that both folders may move."""
    folders = (base / name for base in (settings.DATA_DIR, settings.BASE_DIR))
    return next((str(folder) for folder in folders if folder.is_dir()), name)


@lru_cache(maxsize=4)
def lexical(average_length: float) -> Lexical:
    return Lexical(average_length=average_length)


def live_version() -> IndexVersion:
    """The version that answers queries. The first call ever makes it."""
    try:
        return IndexVersion.objects.get(state=IndexVersion.State.LIVE)
    except IndexVersion.DoesNotExist:
        return _first_version()


def _first_version() -> IndexVersion:
    version = new_version()
    index().create(version.collection, CollectionSpec(version.dimensions))
    index().switch(LIVE_ALIAS, version.collection)
    try:
        with transaction.atomic():
            version.state, version.activated_at = IndexVersion.State.LIVE, timezone.now()
            version.save()
    except IntegrityError:  # another process made it first
        index().drop(version.collection)
    return IndexVersion.objects.get(state=IndexVersion.State.LIVE)


def new_collection() -> str:
    return f"chunks-{uuid.uuid4().hex[:12]}"


def new_version(average_length: float = AVERAGE_LENGTH) -> IndexVersion:
    """An unsaved version by the settings of today, with a collection name of its own."""
    model = encoder(settings.ENCODER, settings.DIMENSIONS)
    return IndexVersion(
        collection=new_collection(),
        encoder=settings.ENCODER,
        dimensions=model.dimensions,
        chunk_words=settings.CHUNK_WORDS,
        average_length=average_length,
    )


def written_versions() -> list[IndexVersion]:
    """The versions that new documents go to: the live one, and one that is being built beside it."""
    live = live_version()
    return [live, *IndexVersion.objects.filter(state=IndexVersion.State.BUILDING)]


def active_collections() -> list[str]:
    """Every collection that may hold points: those of all versions that have not been dropped."""
    return list(IndexVersion.objects.values_list("collection", flat=True))


def remove_points(ids: Sequence[str]) -> None:
    """Remove points from every collection that may hold them.

    Where the index does not answer they stay, which no search shows; the reconciler removes them.
    """
    for collection in active_collections() if ids else []:
        try:
            index().delete(collection, ids)
        except IndexUnavailableError:
            logger.warning("%d points stay in %s until the reconciler runs.", len(ids), collection)
