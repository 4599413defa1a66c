"""Passages that the model cannot read keep the places that the first stage gave them."""

from __future__ import annotations

from library.models import Document, Library
from searchapp.search import search
from tests.factories import People, ready_document
from tests.retrieval.reranker.tiny import OverlapBackend
from tests.searchapp.reranking.conftest import Use


def test_passages_in_a_language_that_the_model_did_not_learn_should_keep_their_places(
    people: People, library: Library, use: Use
) -> None:
    use(OverlapBackend())
    Document.objects.filter(library=library).update(language="en")
    german = Document.objects.filter(library=library).first()
    assert german is not None
    Document.objects.filter(pk=german.pk).update(language="de")
    first = search(people.colleague, "w1 w2", rerank=False)
    page = search(people.colleague, "w1 w2", deadline_ms=20_000)
    assert page.reranked
    places = [[hit.chunk.document_id for hit in each.hits].index(german.pk) for each in (first, page)]
    assert places[0] == places[1]
    scored = {hit.chunk.document_id for hit in page.hits if hit.scores["rerank"] is not None}
    assert len(scored) == 3 and german.pk not in scored
    Document.objects.filter(library=library).update(language="de")
    page = search(people.colleague, "w1 w3", deadline_ms=20_000)
    assert (page.reranked, page.degraded) == (False, ["rerank_language"])


def test_a_new_passage_in_another_script_should_keep_its_place(
    people: People, library: Library, use: Use
) -> None:
    use(OverlapBackend())
    assert search(people.colleague, "누구 w1", deadline_ms=20_000).degraded == ["rerank_language"]
    assert search(people.colleague, "w1 w2", deadline_ms=20_000).reranked
    ready_document(library, "w1 누구 무엇 어디 언제 왜 어떻게", "또.txt")
    page = search(people.colleague, "w1 w2", deadline_ms=20_000)
    assert page.reranked and [hit.scores["rerank"] for hit in page.hits].count(None) == 1
