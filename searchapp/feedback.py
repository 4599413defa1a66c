"""Judgements of results. Who was shown what is remembered for an hour, so that nobody judges for another."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID

from django.core.cache import cache

from library.access import readable_documents
from library.errors import RefusedError
from library.models import Chunk
from searchapp.models import Feedback
from searchapp.search import Page

logger = logging.getLogger(__name__)

REMEMBERED_S = 3600


def remember(user: Any, page: Page) -> None:
    """Note what this person was shown. Without a cache the results are shown all the same."""
    shown = {"user": user.pk, "query": page.query, "chunks": [hit.chunk.pk for hit in page.hits]}
    try:
        cache.set(_key(page.query_id), shown, REMEMBERED_S)
    except Exception:  # every cache backend has errors of its own
        logger.warning("The cache does not answer; feedback will not know its query.", exc_info=True)


def judge(user: Any, query_id: UUID, chunk: UUID, useful: bool) -> None:
    """Store the judgement; a second one of the same passage replaces it.

    Raises `RefusedError` for what this person was not shown in the last hour, or may no longer read.
    """
    query, judged = _query(user, query_id, chunk), {"useful": useful, "user": user}
    Feedback.objects.update_or_create(
        query_id=query_id, chunk=chunk, defaults=judged, create_defaults=judged | {"query": query}
    )


def _query(user: Any, query_id: UUID, chunk: UUID) -> str:
    """Return the query that showed the passage to this person, empty while the cache is away."""
    readable = Chunk.objects.filter(pk=chunk, document__in=readable_documents(user)).exists()
    try:
        shown = cache.get(_key(query_id))
    except Exception:  # every cache backend has errors of its own
        logger.warning("The cache does not answer; feedback is stored without its query.", exc_info=True)
        shown = {"user": user.pk, "query": "", "chunks": [chunk]}
    if not readable or shown is None or shown["user"] != user.pk or chunk not in shown["chunks"]:
        raise RefusedError(
            "not_found", 404, "You were not shown this passage in the last hour. Search again."
        )
    return str(shown["query"])


def _key(query_id: UUID | str) -> str:
    return f"shown:{query_id}"
