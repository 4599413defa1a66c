"""An index that was lost heals itself: it is noticed, told, and built anew from the database.

What counts as lost, asked every few seconds (`CELERY_BEAT_SCHEDULE`):

- The index answers, and says that the live collection is not there, or that it cannot read it.
- The index answers, and more than `SHARE` of `SAMPLE` chunks that are drawn at random have no point.

An index that does not answer is waited for: it may only be stopped, or cut off. Points without rows never
count, since a bulk ingest writes points before their rows, and a row that went while its point was looked for
is no loss. Fewer missing points than `SHARE` are for the reconciler, which writes them in place.

The loss is noted in the row of the live version at once: readiness, searches and pages tell it. The rebuild
begins when a later look, `CONFIRM` after the first, finds the same. The row of the new version says that it
is being built, and has a lease; when a builder was killed, the lease ends and the next look begins again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID, uuid4

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from indexing import engine
from indexing.models import IndexVersion
from indexing.reindex import ReindexError, reindex
from library.models import Chunk
from retrieval.index.base import IndexUnavailableError, UnknownCollectionError

logger = logging.getLogger(__name__)

SAMPLE = 200
SHARE = 0.1
CONFIRM = timedelta(seconds=5)


class IndexRebuildingError(IndexUnavailableError):
    """The index was lost. `percent`: how much of the new one is built."""

    retry_after_s = 10

    def __init__(self, percent: int) -> None:
        super().__init__(f"Search is being rebuilt, {percent} % done.")
        self.percent = percent


def heal(confirm: timedelta = CONFIRM) -> None:
    """Build the live index anew if it is lost, nobody does so yet, and it was lost `confirm` ago already."""
    version = engine.live_version()
    if not look(version) or being_built():
        return
    version.refresh_from_db()
    if version.lost_at and version.lost_at <= timezone.now() - confirm:
        logger.error("The index %s is lost; it is built anew from the database.", version.collection)
        try:
            reindex(_same_again(version), fitted=True)
        except (ReindexError, IndexUnavailableError) as error:
            logger.warning("The rebuild stopped: %s. The next look tries again.", error)


def look(version: IndexVersion) -> bool:
    """Whether the version is lost, by the rule above; its row says the same afterwards."""
    try:
        missing = missing_share(version)
    except IndexUnavailableError as error:
        logger.warning("The index does not answer: %s", error)
        return False
    if missing > SHARE:
        return note_loss(version, missing)
    if version.lost_at:
        IndexVersion.objects.filter(pk=version.pk).update(lost_at=None, missing=0.0)
    return False


def missing_share(version: IndexVersion) -> float:
    """Share of the chunks that have no point; 1 where the collection is gone. Drawn, not counted, which
    costs the same for any number of chunks."""
    if version.collection not in engine.index().collections():
        return 1.0
    drawn = _draw(SAMPLE)
    try:
        there = engine.index().vectors(version.collection, [str(pk) for pk in drawn])
    except UnknownCollectionError:
        return 1.0
    gone = Chunk.objects.filter(pk__in=[pk for pk in drawn if str(pk) not in there]).count()
    return gone / len(drawn) if drawn else 0.0


def note_loss(version: IndexVersion, missing: float) -> bool:
    """Say in its row that so much of the version is lost; false if it is not the live one any more."""
    lost_at = Coalesce(F("lost_at"), timezone.now())
    live = IndexVersion.objects.filter(pk=version.pk, state=IndexVersion.State.LIVE)
    return live.update(lost_at=lost_at, missing=missing) == 1


def being_built() -> IndexVersion | None:
    """The version that a living process builds at this moment."""
    building = IndexVersion.objects.filter(state=IndexVersion.State.BUILDING)
    return building.filter(lease_until__gt=timezone.now()).first()


def rebuilding() -> IndexRebuildingError:
    """What to tell whoever cannot be served."""
    version = being_built()
    return IndexRebuildingError(int(100 * version.progress) if version else 0)


@contextmanager
def searched(version: IndexVersion) -> Iterator[None]:
    """Raise `IndexRebuildingError` for a version that is lost; this search may be the first to notice."""
    if not version.answers:
        raise rebuilding()
    try:
        yield
    except UnknownCollectionError:
        if not note_loss(version, 1.0):
            raise  # it was replaced and dropped while it was searched
        raise rebuilding() from None


def _draw(count: int) -> list[UUID]:
    """Ids of chunks in the order of ids from a random one on, which says nothing about their documents."""
    pks, begin = Chunk.objects.order_by("pk").values_list("pk", flat=True), uuid4()
    drawn = list(pks.filter(pk__gte=begin)[:count])
    return drawn + list(pks.filter(pk__lt=begin)[: count - len(drawn)])


def _same_again(version: IndexVersion) -> IndexVersion:
    """An unsaved version like this one, with a collection of its own."""
    kept = ("model", "learned", "encoder", "dimensions", "quantization", "code_dimensions", "chunk_words")
    fitted = ("lengths", "fusion")
    return IndexVersion(
        collection=engine.new_collection(), **{name: getattr(version, name) for name in (*kept, *fitted)}
    )
