from __future__ import annotations

from typing import Any

import pytest

from ingestion import documents
from library.models import Access, Chunk, Library, Role
from searchapp import scoring
from searchapp.query import QueryError
from searchapp.search import Filters, search, suggest
from tests.factories import People, ready_document

LEAVE = "Every employee has 25 days of paid leave a year. Unused leave ends in March."
TRAVEL = "Book train tickets for business trips through the travel desk. Flights need approval."
KOREAN = "직원은 매년 25일의 연차 휴가를 사용할 수 있습니다. 남은 휴가는 3월에 소멸합니다."


@pytest.fixture
def library(people: People) -> Library:
    ready_document(people.library, LEAVE, "leave-policy.txt")
    ready_document(people.library, TRAVEL, "travel.md")
    ready_document(people.library, KOREAN, "휴가-규정.txt")
    return people.library


def names(page: Any) -> list[str]:
    return [hit.chunk.document.name for hit in page.hits]


def facet(page: Any, name: str) -> dict[str, int]:
    return {f.label: f.count for f in page.facets[name]}


def test_search_should_find_the_passage_that_answers(people: People, library: Library) -> None:
    page = search(people.colleague, "how many days of leave do I have", rerank=False)
    assert names(page)[0] == "leave-policy.txt"
    assert page.hits[0].scores["fused"] is not None


def test_search_should_find_korean_by_korean(people: People, library: Library) -> None:
    assert names(search(people.colleague, "연차 휴가는 며칠인가요?", rerank=False))[0] == "휴가-규정.txt"


def test_search_should_find_a_document_by_its_file_name(people: People, library: Library) -> None:
    ready_document(people.library, "Numbers only: 1, 2, 3.", "zanzibar_report-2024.csv")
    assert names(search(people.colleague, "zanzibar report", rerank=False))[0] == "zanzibar_report-2024.csv"


def test_search_should_rerank_within_the_deadline_and_say_so(people: People, library: Library) -> None:
    page = search(people.colleague, "who books train tickets", deadline_ms=20_000)
    assert page.reranked
    assert names(page)[0] == "travel.md"
    assert page.hits[0].scores["rerank"] is not None


def test_search_should_answer_without_the_reranker(people: People, library: Library, settings: Any) -> None:
    settings.RERANK_BACKEND = "off"
    page = search(people.colleague, "train tickets")
    assert (page.reranked, page.degraded) == (False, ["rerank_off"])
    assert page.hits


def test_search_should_outlive_a_reranker_that_cannot_be_loaded(
    people: People, library: Library, settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "_batching", scoring._batching.__wrapped__)
    settings.RERANKER, settings.RERANK_BACKEND = str(tmp_path), "onnx-int8"
    page = search(people.colleague, "train tickets")
    assert (page.reranked, page.degraded) == (False, ["rerank_unavailable"])
    assert page.hits


def test_an_outsider_should_find_nothing_and_see_no_facets(people: People, library: Library) -> None:
    page = search(people.outsider, "leave")
    assert (page.hits, page.total, page.more) == ([], 0, False)
    assert not any(page.facets.values())
    assert suggest(people.outsider, "leave") == []


def test_naming_a_foreign_library_should_find_nothing(people: People, library: Library) -> None:
    mine = Library.objects.create(name="Mine")
    Access.objects.create(library=mine, user=people.outsider, role=Role.MANAGER)
    ready_document(mine, "My own note about leave.", "mine.txt")
    page = search(people.outsider, "leave", filters=Filters(library=(str(library.pk),)))
    assert page.total == 0
    assert names(search(people.outsider, "leave")) == ["mine.txt"]


def test_revoking_should_take_effect_on_the_next_search(people: People, library: Library) -> None:
    assert search(people.colleague, "leave", rerank=False).hits
    Access.objects.filter(user=people.colleague).delete()
    assert not search(people.colleague, "leave", rerank=False).hits


def test_access_by_a_group_should_count(people: People, library: Library) -> None:
    from django.contrib.auth.models import Group

    group = Group.objects.create(name="staff")
    people.outsider.groups.add(group)
    Access.objects.create(library=library, group=group)
    assert search(people.outsider, "leave", rerank=False).hits


def test_an_inactive_user_should_find_nothing(people: People, library: Library) -> None:
    people.owner.is_active = False
    assert not search(people.owner, "leave", rerank=False).hits


def test_a_point_without_its_row_should_be_invisible(people: People, library: Library) -> None:
    Chunk.objects.filter(document__name="leave-policy.txt").delete()
    page = search(people.colleague, "paid leave", rerank=False)
    assert "leave-policy.txt" not in names(page)
    assert facet(page, "type") == {"md": 1, "txt": 1}


def test_a_deleted_document_should_be_gone(people: People, library: Library) -> None:
    documents.delete(library.documents.get(name="leave-policy.txt"))
    assert "leave-policy.txt" not in names(search(people.colleague, "paid leave", rerank=False))


def test_filters_should_narrow_and_facets_should_still_show_the_alternatives(
    people: People, library: Library
) -> None:
    page = search(people.colleague, "leave", filters=Filters(type=("md",)), rerank=False)
    assert names(page) == ["travel.md"]
    assert facet(page, "type") == {"txt": 2, "md": 1}
    assert facet(page, "language") == {"en": 1}
    assert [f.label for f in page.facets["type"] if f.selected] == ["md"]


def test_facets_should_count_documents_not_passages(people: People) -> None:
    ready_document(
        people.library, "\n\n".join(f"# Part {n}\n\nLeave rule {n}. " * 60 for n in range(4)), "l.md"
    )
    page = search(people.colleague, "leave rule", rerank=False)
    assert page.total > 3
    assert facet(page, "type") == {"md": 1}


def test_pages_should_follow_each_other_without_overlap(people: People, library: Library) -> None:
    first = search(people.colleague, "leave", limit=2, rerank=False)
    second = search(people.colleague, "leave", limit=2, offset=2, rerank=False)
    assert len(first.hits) == 2
    assert not {h.chunk.pk for h in first.hits} & {h.chunk.pk for h in second.hits}
    assert first.total == second.total == 3


def test_pages_of_documents_should_hold_each_document_whole(people: People, library: Library) -> None:
    sections = "\n\n".join(f"# Part {n}\n\n{f'Leave rule {n}. ' * 60}" for n in range(4))
    ready_document(people.library, sections, "rules.md")
    pages = [
        search(people.colleague, "leave rule", limit=1, offset=n, by_document=True, rerank=False)
        for n in range(4)
    ]
    shown = [set(names(page)) for page in pages]
    assert [len(each) for each in shown] == [1] * 4 and len(set.union(*shown)) == 4
    assert {page.documents for page in pages} == {4}
    assert sum(len(page.hits) for page in pages) == pages[0].total > 4


@pytest.mark.parametrize(
    ("query", "code", "status"),
    [("", "empty_query", 400), (" \n", "empty_query", 400), ("a\x00b", "control_characters", 400),
     ("x" * 100_000, "query_too_long", 413), ("a\ud800", "control_characters", 400)],
)  # fmt: skip
def test_a_query_that_cannot_be_asked_should_be_refused(
    people: People, query: str, code: str, status: int
) -> None:
    with pytest.raises(QueryError) as refusal:
        search(people.owner, query)
    assert (refusal.value.code, refusal.value.status) == (code, status)


@pytest.mark.parametrize(
    "query", ["'; DROP TABLE library_chunk; --", "<script>alert(1)</script>", "!!!", "🦔", "a"]
)
def test_strange_queries_should_be_answered(people: People, library: Library, query: str) -> None:
    search(people.colleague, query, rerank=False)


def test_snippets_should_mark_the_words_of_the_query(people: People, library: Library) -> None:
    hit = search(people.colleague, "booking a train", rerank=False).hits[0]
    marked = {hit.snippet.text[start:end] for start, end in hit.snippet.highlights}
    assert marked == {"Book", "train"}


def test_suggestions_should_be_titles_that_one_may_read(people: People, library: Library) -> None:
    assert suggest(people.colleague, "LEAVE") == ["leave policy"]
