"""What a search needs is made ready before the first one, whose deadline it would count against."""

from __future__ import annotations

import gc
import logging
from importlib import import_module

from django.contrib.auth import get_user_model
from django.urls import get_resolver

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


def load_shared() -> None:
    """Load the modules that every request needs, once for all processes that this one forks.

    Makes no connection, opens no index and starts no thread: none of them survives a fork.
    """
    get_resolver().check()
    for late in (
        "retrieval.index.server",
        "searchapp.tasks",
        "httpcore",
        "h2.connection",
        "redis",
    ):
        import_module(late)
    gc.collect()
    gc.freeze()  # a collection in a process would write to the pages that all share, and copy them
