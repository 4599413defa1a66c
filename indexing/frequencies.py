"""Term frequencies by library: written in the transaction that writes the chunks, read by every search."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Count, F, Sum, Value, When

from indexing.models import TermFrequencies
from indexing.passages import batches, passage
from library.models import Chunk, Library
from retrieval.frequencies import Frequencies, count, merge
from retrieval.lexical import Lexical

logger = logging.getLogger(__name__)

# What this process has read, by library and part. A part never changes.
_read: dict[UUID, dict[UUID, Frequencies]] = {}


def of_libraries(libraries: Iterable[UUID]) -> list[Frequencies]:
    """Return the parts of some libraries, in one statement that fetches only what is new to this process."""
    parts: dict[UUID, dict[UUID, Frequencies]] = {library: {} for library in libraries}
    known = {pk: part for library in parts for pk, part in _read.get(library, {}).items()}
    data = Case(When(pk__in=list(known), then=Value(None)), default=F("data")) if known else F("data")
    rows = TermFrequencies.objects.filter(library__in=list(parts)).annotate(new=data)
    fields = ("pk", "library", "passages", "languages", "new")
    for pk, library, passages, languages, new in rows.values_list(*fields):
        part = Frequencies.from_bytes(passages, languages, new) if new is not None else known[pk]
        parts[library][pk] = part
    _read.update(parts)
    return [part for each in parts.values() for part in each.values()]


def of_chunks(chunks: Iterable[Chunk]) -> Frequencies:
    """Count the terms of some chunks, which are analysed for it."""
    passages = [passage(chunk) for chunk in chunks]
    return count(Lexical().passages(passages), [p.language for p in passages])


def add(library: UUID, change: Frequencies) -> None:
    """Add a part to a library, in the transaction that writes or deletes the chunks.

    Parts that are not larger are merged with it, so that a library has few of them and each is rewritten
    rarely. A part that another transaction is merging is left to it: nobody waits.
    """
    with transaction.atomic():
        parts = TermFrequencies.objects.select_for_update(skip_locked=True).filter(library=library)
        small, size = [], len(change.terms)
        for pk, terms in parts.order_by("terms").values_list("pk", "terms"):
            if terms > size:
                break
            small.append(pk)
            size += terms
        rows = TermFrequencies.objects.filter(pk__in=small)
        merged = [Frequencies.from_bytes(*row) for row in rows.values_list("passages", "languages", "data")]
        rows.delete()
        _create(library, merge([change, *merged]))


def recount(library: UUID) -> None:
    """Count a library anew from its chunks.

    A document that comes or goes meanwhile may be counted wrongly, which shifts a few weights by little until
    the reconciler counts again.
    """
    chunks = Chunk.objects.filter(document__library=library)
    counted = merge([of_chunks(batch) for batch in batches(chunks)])
    with transaction.atomic():
        TermFrequencies.objects.filter(library=library).delete()
        _create(library, counted)


def repair() -> list[UUID]:
    """Recount the libraries whose parts do not add up to their chunks, and return them."""
    chunks = dict(Chunk.objects.values_list("document__library").annotate(Count("pk")))
    counted = dict(TermFrequencies.objects.values_list("library").annotate(Sum("passages")))
    libraries = Library.objects.values_list("pk", flat=True)
    wrong = [pk for pk in libraries if chunks.get(pk, 0) != counted.get(pk, 0)]
    for library in wrong:
        recount(library)
    if wrong:
        logger.warning("Counted the terms of %d libraries again.", len(wrong))
    return wrong


def _create(library: UUID, part: Frequencies) -> None:
    TermFrequencies.objects.create(
        library_id=library,
        passages=part.passages,
        languages=part.languages,
        terms=len(part.terms),
        data=part.to_bytes(),
    )
