"""Blue/green: a new index version is filled beside the live one, checked, and switched to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from indexing import engine
from indexing.fitting import fit
from indexing.models import IndexVersion
from indexing.passages import batches
from indexing.points import points
from library.heartbeat import heartbeat
from library.models import Chunk
from retrieval.index.base import UnknownCollectionError

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=45)

Progress = Callable[[int, int], None]  # chunks done, chunks in all

TAKEN_OVER = "Another re-index took over; this one has stopped."


class ReindexError(Exception):
    """The new version did not pass its check; the live one goes on as it was."""


def reindex(
    version: IndexVersion | None = None,
    progress: Progress = lambda done, total: None,
    *,
    fitted: bool = False,
) -> IndexVersion:
    """Build `version` (by default one from today's settings, with what was learned of the same model), switch
    to it, and return it.

    1. Fit it to the corpus, unless it is `fitted`.  2. Say that it is being built: from now on new documents
    are written to both.  3. Copy every chunk.  4. Check that no chunk is missing.  5. Switch, in one
    transaction.  6. Drop all but the last version. No query fails meanwhile. If a step before 5 fails, only
    what is new is removed.

    Its row tells how far it is, and has a lease that ends soon after a builder that is killed. A live version
    that was lost is dropped with the old ones.

    Raises `ReindexError`, also where another re-index took over: the newest one wins, so that one that was
    killed never stands in the way.
    """
    version = version or _successor(engine.live_version())
    for abandoned in IndexVersion.objects.filter(state=IndexVersion.State.BUILDING):
        _drop(abandoned)
    try:
        if not fitted:
            fit(version)
        engine.index().create(version.collection, engine.spec(version))
        _announce(version)
        with heartbeat(partial(_renew, version)):
            _copy(version, partial(_report, version, progress))
        _check(version)
        last = _switch(version)
    except UnknownCollectionError:
        _drop(version)
        raise ReindexError(TAKEN_OVER) from None
    except BaseException:
        _drop(version)
        raise
    engine.index().switch(engine.LIVE_ALIAS, version.collection)
    retired = IndexVersion.objects.filter(state=IndexVersion.State.RETIRED)
    for old in retired if last.lost_at else retired.exclude(pk=last.pk):
        _drop(old)
    return version


def rebuild(version: IndexVersion, progress: Progress = lambda done, total: None) -> None:
    """Fill the collection of a version from the database alone, after a restore or a lost index."""
    engine.index().create(version.collection, engine.spec(version))
    _copy(version, progress)
    _check(version)
    engine.index().switch(engine.LIVE_ALIAS, version.collection)
    IndexVersion.objects.filter(pk=version.pk).update(lost_at=None, missing=0.0)


def _announce(version: IndexVersion) -> None:
    version.lease_until = timezone.now() + LEASE
    try:
        with transaction.atomic():
            version.save()
    except IntegrityError:
        raise ReindexError(TAKEN_OVER) from None


def _renew(version: IndexVersion, **fields: float) -> bool:
    mine = IndexVersion.objects.filter(pk=version.pk)
    return mine.update(lease_until=timezone.now() + LEASE, **fields) == 1


def _report(version: IndexVersion, progress: Progress, done: int, total: int) -> None:
    if not _renew(version, progress=done / max(total, 1)):
        raise ReindexError(TAKEN_OVER)
    progress(done, total)


def _copy(version: IndexVersion, progress: Progress) -> None:
    total, done = Chunk.objects.count(), 0
    for batch in batches(Chunk.objects.all()):
        engine.index().upsert(version.collection, points(version, batch))
        _forget_removed(version, batch)
        done += len(batch)
        progress(done, max(done, total))


def _forget_removed(version: IndexVersion, batch: list[Chunk]) -> None:
    """Take back the points of what was deleted or replaced between its reading and its writing."""
    ids = {chunk.pk for chunk in batch}
    if gone := ids.difference(Chunk.objects.filter(pk__in=ids).values_list("pk", flat=True)):
        engine.index().delete(version.collection, [str(pk) for pk in gone])


def _check(version: IndexVersion) -> None:
    """Every chunk must have its point. More points may be there: what was deleted during the copy, and what
    is about to be published. So the chunks are read first."""
    chunks = [str(pk) for pk in Chunk.objects.values_list("pk", flat=True).iterator()]
    missing = set(chunks).difference(engine.index().ids(version.collection))
    # What was replaced or deleted since they were read is no loss.
    lost = Chunk.objects.filter(pk__in=list(missing)[:500]).count()
    if lost:
        raise ReindexError(f"{lost} chunks are missing in the new index; the live one stays.")


def _switch(version: IndexVersion) -> IndexVersion:
    """Make the version live; returns the one that was. Raises `ReindexError` where it was dropped."""
    with transaction.atomic():
        last = IndexVersion.objects.select_for_update().get(state=IndexVersion.State.LIVE)
        IndexVersion.objects.filter(pk=last.pk).update(state=IndexVersion.State.RETIRED)
        version.state, version.activated_at = IndexVersion.State.LIVE, timezone.now()
        mine = IndexVersion.objects.filter(pk=version.pk)
        if not mine.update(state=version.state, activated_at=version.activated_at):
            raise ReindexError(TAKEN_OVER)
    return last


def _drop(version: IndexVersion) -> None:
    IndexVersion.objects.filter(pk=version.pk).delete()
    engine.index().drop(version.collection)
    engine.remove_models({version.encoder, version.learned})


def _successor(live: IndexVersion) -> IndexVersion:
    """What was learned stays while the setting names the same model."""
    if live.learned and live.model == settings.ENCODER:
        version = engine.new_version(live.learned)
        version.fusion = live.fusion
        return version
    return engine.new_version()
