"""The pages of the query path: search, and a document read at the passage that was found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django_htmx.http import push_url, replace_url

from indexing.healing import IndexRebuildingError
from ingestion import demo
from library.access import document_for, readable_documents, readable_libraries, role_in
from library.errors import RETRY_AFTER_S
from library.models import PENDING, Chunk, Document, DocumentText, Role
from library.pages import PageRequest, page, wants_fragment
from retrieval.index.base import IndexUnavailableError
from retrieval.lexical import query_terms
from searchapp import reader
from searchapp.forms import PAGE_SIZE, SearchParams, whole_number
from searchapp.query import QueryError, check_query
from searchapp.results import Results
from searchapp.search import search as run_search
from searchapp.snippets import Marker

SUGGESTED_QUESTIONS = 6
SLACK_MS = 3000  # after the deadline of reranking, for a server and a network that are slow


@require_GET
@page
def search(request: PageRequest) -> HttpResponse:
    """The search page, or its results alone.

    htmx says in `stage` how far to go: `typing` and `first` want the first order at once, and after `first`
    the page asks for the reranked one, unless it is known already. Without it the answer is complete.
    """
    params = SearchParams.of(request.GET)
    stage = request.GET.get("stage", "") if wants_fragment(request) else ""
    context: dict[str, Any] = {"params": params, "stage": stage}
    status = 200
    if params.q:
        try:
            found = run_search(
                request.user,
                params.q,
                filters=params.filters,
                limit=PAGE_SIZE,
                offset=params.offset,
                by_document=True,
                rerank=stage != "typing",
                deadline_ms=0 if stage == "first" else None,
            )
        except QueryError as error:
            context["error"], status = error, error.status
        except IndexRebuildingError as error:
            context["rebuilding"], status = error, 503
        except IndexUnavailableError:
            context["unavailable"], status = True, 503
        else:
            context["results"] = Results(params, found)
            can_rerank = bool(found.hits) and _reranks(params)
            context["rerank_follows"] = can_rerank and stage == "first" and not found.reranked
            context["rerank_patience_ms"] = settings.RERANK_DEADLINE_MS + SLACK_MS
            if not found.hits:
                context["pending"] = readable_documents(request.user).filter(status__in=PENDING).count()
    if not wants_fragment(request):
        response = render(request, "searchapp/page.html", context | _welcome(request, params), status=status)
        if status == 503:
            response["Retry-After"] = str(RETRY_AFTER_S)
        return response
    response = render(request, "searchapp/fragment.html", context, status=status)
    if stage == "typing":
        return replace_url(response, params.url)
    return push_url(response, params.url if stage == "first" else False)


def _reranks(params: SearchParams) -> bool:
    """Whether reranking could change this page: only the first candidates are reranked."""
    return settings.RERANK_BACKEND != "off" and params.offset < settings.RERANK_PASSAGES


def _welcome(request: PageRequest, params: SearchParams) -> dict[str, Any]:
    """What the empty page offers."""
    if params.q:
        return {}
    libraries = list(readable_libraries(request.user).values_list("name", flat=True))
    has_demo = demo.LIBRARY in libraries
    return {"libraries": libraries, "questions": demo.questions()[:SUGGESTED_QUESTIONS] if has_demo else ()}


@require_GET
@page
def document(request: PageRequest, document_id: UUID) -> HttpResponse:
    """A document's text, around the passage that `chunk` names; long ones in parts."""
    found = document_for(request.user, document_id)
    params = SearchParams.of(request.GET)
    chunk = _chunk(found, request.GET.get("chunk", ""))
    context = {
        "document": found,
        "params": params,
        "chunk": chunk,
        "may_edit": (role_in(request.user, found.library) or 0) >= Role.EDITOR,
        **_reading(found, chunk, params.q, request.GET.get("part", "")),
    }
    return render(request, "searchapp/document.html", context)


def _chunk(document: Document, chunk_id: str) -> Chunk | None:
    """The passage, if the document still has it: a newer version has other ones."""
    try:
        return document.chunks.filter(pk=UUID(chunk_id)).first()
    except ValueError:
        return None


def _reading(document: Document, chunk: Chunk | None, query: str, part: str) -> dict[str, Any]:
    parsed = DocumentText.objects.filter(document=document).first()
    if parsed is None:
        return {}
    starts = reader.part_starts(parsed.text)
    asked = whole_number(part, most=len(starts))
    number = asked - 1 if asked else reader.part_of(starts, chunk.start if chunk else 0)
    start, end = [*starts, len(parsed.text)][number : number + 2]
    return {
        "parts": range(1, len(starts) + 1),
        "part": number + 1,
        "page_count": len(parsed.pages),
        "blocks": reader.blocks(
            parsed,
            (start, end),
            passage=(chunk.start, chunk.end) if chunk else (0, 0),
            matches=_marks(query, document.language),
        ),
    }


def _marks(query: str, language: str) -> Callable[[str], list[tuple[int, int]]]:
    try:
        terms = query_terms(check_query(query), [language])
    except QueryError:
        return lambda line: []
    return partial(Marker(terms.ids.tolist()).spans, language=language)
