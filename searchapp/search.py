"""The query path, and the one door to results: `search()`.

encode -> candidates (binary, rescored) + lexical -> fuse -> look up again in the database -> best sentence of
each -> rerank -> page.
The page, the REST API and the command line call it; nothing else answers a query.
"""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from django.conf import settings

from indexing import engine
from indexing.models import IndexVersion
from indexing.passages import passage
from library.access import Person, readable_documents, readable_libraries
from library.models import Chunk
from retrieval.encoder import Encoder
from retrieval.first_stage import first_stage
from retrieval.lexical import Lexical
from retrieval.reranker import combine
from retrieval.sentences import READ_DEPTH, by_best_sentence
from retrieval.types import Filter, FusedCandidate, Passage
from searchapp.facets import Facet, Found, count_facets
from searchapp.query import check_query
from searchapp.reranking import card
from searchapp.reranking import rerank as rerank_passages
from searchapp.snippets import Snippet, Snippets

POOL = 100  # candidates of each leg: what facets count, and where the last page ends
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
    total: int
    more: bool  # there are more than the candidates that were looked at
    facets: Mapping[str, Sequence[Facet]]
    reranked: bool
    degraded: Sequence[str]  # why something is missing: "rerank_timeout", ...
    took_ms: float
    offset: int
    limit: int


@dataclass(slots=True)
class _Ranking:
    """The candidates in the order of the moment."""

    candidates: list[FusedCandidate]
    scores: dict[str, float] = field(default_factory=dict)  # of the reranker, by chunk id
    degraded: list[str] = field(default_factory=list)


def search(
    user: Person,
    query: str,
    *,
    filters: Filters | None = None,
    limit: int = 10,
    offset: int = 0,
    rerank: bool = True,
    deadline_ms: int | None = None,
) -> Page:
    """The passages that answer the query best, among those that the person may read at this moment.

    A library that the person may not read is as if it did not exist. With `rerank`, the cross-encoder
    orders the first candidates if it answers early enough for the page to be complete within `deadline_ms`
    of the call; else `reranked` is false and `degraded` says why. With a deadline of 0 only scores that are
    remembered count.

    Raises `QueryError` for what cannot be asked, `IndexUnavailableError` when the index does not answer.
    """
    started = time.monotonic()
    query, filters = check_query(query), filters or Filters()
    version = engine.live_version()
    readable = [str(pk) for pk in readable_libraries(user).values_list("pk", flat=True)]
    libraries = [pk for pk in readable if not filters.library or pk in filters.library]

    candidates = _candidates(version, query, libraries, filters)
    found = _look_up(user, candidates)
    kept = [c for c in candidates if c.id in found]
    ranking = _Ranking(_by_best_sentence(user, query, version, libraries, kept))
    if rerank and ranking.candidates:
        seconds = (settings.RERANK_DEADLINE_MS if deadline_ms is None else deadline_ms) / 1000
        after = max(seconds * AFTER_RERANK, AFTER_RERANK_S, time.monotonic() - started)
        _rerank(user, query, ranking, started + seconds - after if seconds else None)
    if filters:  # facets also count what the filters hide, so that a choice can be widened again
        found |= _look_up(user, _candidates(version, query, readable, Filters(tags=filters.tags)))
    return Page(
        query=query,
        query_id=str(uuid.uuid4()),
        hits=_hits(user, query, version, ranking, ranking.candidates[offset : offset + limit]),
        total=len(ranking.candidates),
        more=len(candidates) >= POOL,
        facets=count_facets(found.values(), asdict(filters)),
        reranked=bool(ranking.scores),
        degraded=ranking.degraded,
        took_ms=(time.monotonic() - started) * 1000,
        offset=offset,
        limit=limit,
    )


def _candidates(
    version: IndexVersion, query: str, libraries: Sequence[str], filters: Filters
) -> list[FusedCandidate]:
    """Both legs, fused. The access filter is part of the query, so nothing else is ever ranked."""
    if not libraries:
        return []
    conditions = {name: values for name, values in asdict(filters).items() if values}
    return first_stage(
        engine.index(),
        version.collection,
        *_models(version),
        query,
        filter=Filter(conditions | {"library": libraries}),
        limit=POOL,
        weights=engine.weights(version, libraries),
    )


def _models(version: IndexVersion) -> tuple[Encoder, Lexical]:
    return engine.encoder(version.encoder, version.dimensions), engine.lexical(version)


def _look_up(user: Person, candidates: Sequence[FusedCandidate]) -> dict[str, Found]:
    """The candidates that exist and that the person may read: the database has the last word."""
    chunks = Chunk.objects.filter(
        pk__in=[c.id for c in candidates],
        document__in=readable_documents(user).filter(active_version__isnull=False),
    ).values_list(
        "pk",
        "document_id",
        "document__library_id",
        "document__library__name",
        "document__type",
        "document__language",
        "document__date__year",
    )
    return {
        str(pk): Found(str(document), str(library), name, type_, language, str(year or ""))
        for pk, document, library, name, type_, language, year in chunks
    }


def _by_best_sentence(
    user: Person,
    query: str,
    version: IndexVersion,
    libraries: Sequence[str],
    candidates: list[FusedCandidate],
) -> list[FusedCandidate]:
    passages = _passages(user, candidates[:READ_DEPTH])
    weights = engine.weights(version, libraries)
    return by_best_sentence(query, candidates, passages, *_models(version), weights)


def _rerank(user: Person, query: str, ranking: _Ranking, deadline: float | None) -> None:
    head = ranking.candidates[: settings.RERANK_PASSAGES]
    passages = _passages(user, head)
    head = [c for c in head if c.id in passages]
    read = [c.id for c in head if card().reads(passages[c.id].language)]
    scores = rerank_passages(query, [passages[id].full for id in read], deadline)
    if isinstance(scores, str):
        ranking.degraded.append(f"rerank_{scores}")
        return
    ranking.scores = {id: score for id, score in zip(read, scores, strict=True) if not math.isnan(score)}
    rest = ranking.candidates[settings.RERANK_PASSAGES :]
    known = [ranking.scores.get(c.id, math.nan) for c in head]
    ranking.candidates = [*combine(head, known, card().weight, card().spread), *rest]


def _hits(
    user: Person, query: str, version: IndexVersion, ranking: _Ranking, shown: Sequence[FusedCandidate]
) -> list[Hit]:
    chunks = _chunks(user, shown)
    snippets = Snippets(query, *_models(version))
    return [
        Hit(
            chunk=chunks[c.id],
            snippet=snippets.of(chunks[c.id].text),
            scores={
                "dense": c.dense,
                "lexical": c.lexical,
                "fused": c.score,
                "rerank": ranking.scores.get(c.id),
            },
        )
        for c in shown
        if c.id in chunks
    ]


def _chunks(user: Person, candidates: Sequence[FusedCandidate]) -> dict[str, Chunk]:
    chunks = Chunk.objects.filter(
        pk__in=[c.id for c in candidates], document__in=readable_documents(user)
    ).select_related("document__library")
    return {str(chunk.pk): chunk for chunk in chunks}


def _passages(user: Person, candidates: Sequence[FusedCandidate]) -> dict[str, Passage]:
    return {id: passage(chunk) for id, chunk in _chunks(user, candidates).items()}


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
