"""The engine of this process: its index, and the models of an index version. Each is made at first use."""

from __future__ import annotations

import logging
import shutil
import uuid
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import cast
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from indexing.models import IndexVersion
from retrieval.encoder import Encoder, load_encoder
from retrieval.index import IndexSettings, open_index
from retrieval.index.base import CollectionSpec, Index, IndexUnavailableError, Quantization
from retrieval.lexical import Lexical
from retrieval.ranking.fusion import FusionWeights, mean_weights
from retrieval.served import served_spec

logger = logging.getLogger(__name__)

LIVE_ALIAS = "live"
MADE_HERE = ("models/learned-", "models/rotated-")  # below the data folder
AVERAGE_LENGTH = 150.0  # stemmed words without stop words in a passage of the default size


@cache
def index() -> Index:
    return open_index(
        IndexSettings(
            settings.INDEX_DIR, settings.QDRANT_URL, min_free=settings.MIN_FREE_BYTES, **settings.QDRANT
        )
    )


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


def lexical(version: IndexVersion, library: UUID) -> Lexical:
    """Return what makes the sparse vectors of a library's passages."""
    return _lexical(version.lengths.get(str(library), AVERAGE_LENGTH))


@lru_cache(maxsize=100)
def _lexical(average_length: float) -> Lexical:
    return Lexical(average_length=average_length)


def weights(version: IndexVersion, libraries: Iterable[str]) -> FusionWeights:
    """For a query over these libraries: what was learned of them, the defaults where that is nothing."""
    found = [version.fusion[pk] for pk in libraries if pk in version.fusion]
    return mean_weights([(row["passages"], FusionWeights(**row["weights"])) for row in found])


def spec(version: IndexVersion) -> CollectionSpec:
    """How the version's collection is made."""
    quantization = cast("Quantization", version.quantization)
    return CollectionSpec(version.dimensions, quantization, version.code_dimensions)


def live_version() -> IndexVersion:
    """The version that answers queries. The first call ever makes it."""
    try:
        return IndexVersion.objects.get(state=IndexVersion.State.LIVE)
    except IndexVersion.DoesNotExist:
        return _first_version()


def _first_version() -> IndexVersion:
    version = new_version()
    index().create(version.collection, spec(version))
    index().switch(LIVE_ALIAS, version.collection)
    try:
        with transaction.atomic():
            version.state, version.activated_at = IndexVersion.State.LIVE, timezone.now()
            version.save()
    except IntegrityError:  # another process made it first
        index().drop(version.collection)
    return IndexVersion.objects.get(state=IndexVersion.State.LIVE)


def new_version(learned: str = "") -> IndexVersion:
    """An unsaved version by the settings of today, with a collection name of its own, fitted to nothing yet.

    `learned`: the folder of what learning made of the model that the setting names.
    """
    name = learned or settings.ENCODER
    served = served_spec(encoder(name, settings.DIMENSIONS))
    return IndexVersion(
        collection=new_collection(),
        model=settings.ENCODER,
        learned=learned,
        encoder=name,
        dimensions=served.dimensions,
        quantization=served.quantization,
        code_dimensions=served.code_dimensions,
        chunk_words=settings.CHUNK_WORDS,
    )


def new_collection() -> str:
    return f"chunks-{uuid.uuid4().hex[:12]}"


def written_versions() -> list[IndexVersion]:
    """The versions that new documents go to: the live one, and one that is being built beside it.

    A live one that was lost is left out as soon as another is being built, so that documents do not wait.
    """
    live, building = live_version(), list(IndexVersion.objects.filter(state=IndexVersion.State.BUILDING))
    return building if building and not live.answers else [live, *building]


def active_collections() -> list[str]:
    """Every collection that may hold points: those of all versions that have not been dropped."""
    return list(IndexVersion.objects.values_list("collection", flat=True))


def remove_models(names: Iterable[str]) -> None:
    """Remove the folders of models that were made here and that no version uses any more."""
    versions = IndexVersion.objects.values_list("encoder", "learned")
    used = {name for names in versions for name in names}
    for name in set(names) - used:
        if name.startswith(MADE_HERE):
            shutil.rmtree(settings.DATA_DIR / name, ignore_errors=True)


def remove_points(ids: Sequence[str]) -> None:
    """Remove points from every collection that may hold them.

    Where the index does not answer they stay, which no search shows; the reconciler removes them.
    """
    for collection in active_collections() if ids else []:
        try:
            index().delete(collection, ids)
        except IndexUnavailableError:
            logger.warning("%d points stay in %s until the reconciler runs.", len(ids), collection)
