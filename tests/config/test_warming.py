from __future__ import annotations

from typing import Any

from config.warming import warm
from indexing import engine
from indexing.models import IndexVersion
from retrieval.index.base import IndexUnavailableError
from searchapp.search import search
from tests.factories import People, ready_document


def test_the_first_search_should_find_its_models_loaded(people: People) -> None:
    ready_document(people.library)
    engine.encoder.cache_clear()
    warm(rerank=False)
    loaded = engine.encoder.cache_info().misses
    assert loaded == 1
    search(people.owner, "leave", rerank=False)
    assert engine.encoder.cache_info().misses == loaded


def test_a_start_should_not_fail_for_an_index_that_is_away(people: People, monkeypatch: Any) -> None:
    def away() -> IndexVersion:
        raise IndexUnavailableError("away")

    monkeypatch.setattr(engine, "live_version", away)
    warm()
