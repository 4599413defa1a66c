"""The query path, and the one door to results: `search()`.

check -> analyse -> rank (`retrieval/ranking`), whose candidates are looked up in the database -> page.
The page, the REST API and the command line call it; nothing else answers a query.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from indexing import engine, frequencies, healing
from indexing.passages import passage
from library.access import Person, readable_documents, readable_libraries
from library.libraries import told_apart
from library.models import Chunk
from retrieval.ranking import DEPTH, Query, Ranking, Reranking, Scope, analyse, find, rank
from retrieval.types import Filter, FusedCandidate, Passage
from searchapp.facets import Facet, Found, count_facets
from searchapp.query import check_query
from searchapp.reranking import rerank as rerank_passages
from searchapp.scoring import card
from searchapp.snippets import Snippet, Snippets

# What is left of a deadline for facets, snippets and the answer: this share and these seconds at least, and
# as long as the first stage took, which says how busy the machine is.
AFTER_RERANK, AFTER_RERANK_S = 0.1, 0.05


@dataclass(frozen=True, slots=True)
class Filters:
    """What the person narrows by: any of a field's values, and all fields. An empty field does not narrow."""

    library: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    language: tuple[str, ...] = ()
    year: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any(asdict(self).values())


@dataclass(frozen=True, slots=True)
class Hit:
    chunk: Chunk  # with its document and library
    snippet: Snippet
    scores: Mapping[str, float | None]  # dense, lexical, fused, rerank


@dataclass(frozen=True, slots=True)
class Page:
    """One page of results, all of which this person may read."""

    query: str
    query_id: str
    hits: Sequence[Hit]
    ranking: Ranking  # of all candidates
    documents: int  # that the candidates are of
    rebuilding: bool  # the index lost some points, and what is there answers
    facets: Mapping[str, Sequence[Facet]]
    took_ms: float
    offset: int
    limit: int

    @property
    def total(self) -> int:
        return len(self.ranking.candidates)

    @property
    def more(self) -> bool:
        """Whether there may be more than the candidates that were looked at: all counts are "at least"."""
        return self.ranking.found >= DEPTH

    @property
    def reranked(self) -> bool:
        """Whether at least the first five of the order were reranked."""
        return self.ranking.reranked

    @property
    def reranked_count(self) -> int:
        return len(self.ranking.rerank_scores)

    @property
    def degraded(self) -> list[str]:
        """Why something is missing: "rerank_timeout", ..."""
        reranking = [f"rerank_{self.ranking.not_reranked}"] if self.ranking.not_reranked else []
        return [*(["index_rebuilding"] if self.rebuilding else []), *reranking]


def search(
    user: Person,
    query: str,
    *,
    filters: Filters | None = None,
    limit: int = 10,
    offset: int = 0,
    by_document: bool = False,
    rerank: bool = True,
    deadline_ms: int | None = None,
) -> Page:
    """Return the passages that answer the query best, of those that the person may read at this moment.

    A library that the person may not read is as if it did not exist. `limit` and `offset` count passages.
    With `by_document` they count documents, and all that was found of each stands on the same page.

    With `rerank`, the cross-encoder orders as many of the first candidates as it can score for the page to be
    complete within `deadline_ms` of the call. Where these are not even the first five, `reranked` is false
    and `degraded` says why. With a deadline of 0 only scores that are remembered count.

    However many hits there are, the database is asked five times: for the index version, the libraries, their
    term frequencies, the candidates, and once more what is shown.

    Raises `QueryError` for what cannot be asked, `IndexUnavailableError` when the index does not answer,
    `IndexRebuildingError` while one that was lost is built anew.
    """
    started = time.monotonic()
    text, filters = check_query(query), filters or Filters()
    version = engine.live_version()
    encoder = engine.encoder(version.encoder, version.dimensions)
    readable = [str(pk) for pk in readable_libraries(user).values_list("pk", flat=True)]
    libraries = [pk for pk in readable if not filters.library or pk in filters.library]
    asked = analyse(
        text, encoder, frequencies.of_libraries(map(UUID, libraries)), engine.weights(version, libraries)
    )
    candidates = _Candidates(user)
    scope = Scope(engine.index(), version.collection, encoder, candidates, _filter(libraries, filters))
    with healing.searched(version):
        if filters:  # facets also count what the filters hide, so that a choice can be widened again
            hidden = replace(scope, filter=_filter(readable, Filters(tags=filters.tags)))
            candidates.beside = [candidate.id for candidate in find(asked, hidden)]
        ranking = rank(asked, scope, _reranking(started, deadline_ms) if rerank else None)
    groups = _by_document(ranking.candidates, candidates.document)
    shown = sum(groups[offset : offset + limit], []) if by_document else ranking.candidates[offset:][:limit]
    return Page(
        query=text,
        query_id=str(uuid.uuid4()),
        hits=_hits(user, asked, scope, ranking, shown),
        ranking=ranking,
        documents=len(groups),
        rebuilding=version.lost_at is not None,
        facets=count_facets(candidates.found, asdict(filters)),
        took_ms=(time.monotonic() - started) * 1000,
        offset=offset,
        limit=limit,
    )


def _filter(libraries: Sequence[str], filters: Filters) -> Filter:
    """The access filter is part of the query, so nothing else is ever ranked."""
    conditions = {name: values for name, values in asdict(filters).items() if values}
    return Filter(conditions | {"library": libraries})


class _Candidates:
    """Looks candidates up, once, those `beside` too: the database has the last word on what one may read."""

    def __init__(self, user: Person) -> None:
        self._user = user
        self.beside: Sequence[str] = ()
        self.found: list[Found] = []
        self.document: dict[str, UUID] = {}  # by the candidate's id

    def __call__(self, ids: Sequence[str]) -> dict[str, Passage]:
        chunks = list(_chunks(self._user, {*ids, *self.beside}).only(*_READ))
        libraries = {chunk.document.library for chunk in chunks}
        names = told_apart({library.pk: library.name for library in libraries})
        self.found = [_found(chunk, names) for chunk in chunks]
        self.document = {str(chunk.pk): chunk.document_id for chunk in chunks}
        asked = set(ids)
        return {str(chunk.pk): passage(chunk) for chunk in chunks if str(chunk.pk) in asked}


_READ = (
    *("text", "heading", "document"),
    *(f"document__{name}" for name in ("name", "title", "type", "language", "date", "library")),
    "document__library__name",
)
_LARGE = ("document__parsed__text", "document__parsed__lines")


def _chunks(user: Person, ids: Iterable[str]) -> QuerySet[Chunk]:
    documents = readable_documents(user).filter(active_version__isnull=False)
    return Chunk.objects.filter(pk__in=ids, document__in=documents).select_related("document__library")


def _found(chunk: Chunk, names: Mapping[UUID, str]) -> Found:
    document = chunk.document
    return Found(
        document=str(document.pk),
        library=str(document.library_id),
        library_name=names[document.library_id],
        type=document.type,
        language=document.language,
        year=str(document.date.year) if document.date else "",
    )


def _by_document(
    candidates: Sequence[FusedCandidate], document: Mapping[str, UUID]
) -> list[list[FusedCandidate]]:
    """The candidates of each document, the documents in the order of their best ones."""
    groups: dict[UUID, list[FusedCandidate]] = {}
    for candidate in candidates:
        groups.setdefault(document[candidate.id], []).append(candidate)
    return list(groups.values())


def _reranking(started: float, deadline_ms: int | None) -> Reranking:
    seconds = (settings.RERANK_DEADLINE_MS if deadline_ms is None else deadline_ms) / 1000

    def score(query: str, passages: Sequence[str]) -> Sequence[float] | str:
        after = max(seconds * AFTER_RERANK, AFTER_RERANK_S, time.monotonic() - started)
        return rerank_passages(query, passages, started + seconds - after if seconds else None)

    return Reranking(score, card(), settings.RERANK_PASSAGES)


def _hits(
    user: Person, query: Query, scope: Scope, ranking: Ranking, shown: Sequence[FusedCandidate]
) -> list[Hit]:
    found = _chunks(user, [c.id for c in shown]).select_related("document__parsed").defer(*_LARGE)
    chunks = {str(chunk.pk): chunk for chunk in found} if shown else {}
    snippets = Snippets(query, scope.encoder)
    return [
        Hit(
            chunk=chunks[c.id],
            snippet=snippets.of(chunks[c.id]),
            scores={
                "dense": c.dense,
                "lexical": c.lexical,
                "fused": c.score,
                "rerank": ranking.rerank_scores.get(c.id),
            },
        )
        for c in shown
        if c.id in chunks
    ]


def suggest(user: Person, prefix: str, limit: int = 8) -> list[str]:
    """Titles with `prefix` in them, of documents that the person may read; those that begin with it first."""
    prefix = check_query(prefix)
    titles = (
        readable_documents(user)
        .filter(active_version__isnull=False, title__icontains=prefix)
        .values_list("title", flat=True)
        .distinct()
        .order_by("title")[:200]
    )
    return sorted(titles, key=lambda title: not title.lower().startswith(prefix.lower()))[:limit]
