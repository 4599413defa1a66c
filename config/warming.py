"""What a search needs is made ready before the first one, whose deadline it would count against."""

from __future__ import annotations

import logging

from django.contrib.auth import get_user_model

from searchapp.search import search

logger = logging.getLogger(__name__)

PATIENCE_MS = 1000  # for a rerank worker, which may be away


def warm(*, rerank: bool = True) -> None:
    """Load the models, open the index and connect to the servers, by a search over everything that nobody
    sees. What fails is left to the first search that somebody sees, which says so."""
    everyone = get_user_model()(username="warm", is_superuser=True)
    try:
        search(everyone, "warm", rerank=rerank, deadline_ms=PATIENCE_MS)
    except Exception as error:
        logger.info("Not everything is warm: %s", error)
