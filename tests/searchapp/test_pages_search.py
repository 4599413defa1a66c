from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from indexing import engine
from library.models import Access, Library, Role
from searchapp.forms import SearchParams
from tests.factories import People, ready_document
from tests.pages import client_of, link, text_of, titles

HTMX = {"HX-Request": "true"}
HOSTILE = "<script>alert('leave')</script> Paid leave & <b onclick=x>rest</b> take 25 days."


@pytest.fixture(autouse=True)
def without_reranker(settings: Any) -> None:
    settings.RERANK_BACKEND = "off"


@pytest.fixture
def library(people: People) -> Library:
    ready_document(people.library, "Every employee has 25 days of paid leave a year.", "leave-policy.txt")
    ready_document(people.library, "# Travel\n\nBook trains through the travel desk.", "travel.md")
    ready_document(people.library, "직원은 매년 25일의 연차 휴가를 사용할 수 있습니다.", "휴가-규정.txt")
    return people.library


def test_search_should_ask_strangers_to_sign_in(db: None) -> None:
    response = Client().get("/?q=leave")
    assert (response.status_code, response["Location"]) == (302, "/login/?next=/%3Fq%3Dleave")


def test_search_should_send_htmx_to_the_sign_in_page_as_a_whole(db: None) -> None:
    response = Client().get("/?q=leave", headers=HTMX)
    assert response["HX-Redirect"] == "/login/"
    assert response.content == b""


def test_search_page_should_hold_only_the_box_before_a_query(people: People) -> None:
    response = client_of(people.owner).get("/")
    assert b'name="q"' in response.content
    assert b'class="group"' not in response.content
    assert "Try a question" not in text_of(response)


def test_search_page_should_suggest_questions_to_those_who_read_the_demo(people: People) -> None:
    Access.objects.create(
        library=Library.objects.create(name="Demo"), user=people.colleague, role=Role.VIEWER
    )
    assert "알베르트 아인슈타인은 어디에서 태어났나요?" in text_of(client_of(people.colleague).get("/"))
    assert "아인슈타인" not in text_of(client_of(people.outsider).get("/"))


def test_search_page_should_tell_people_without_a_library_whom_to_ask(people: People) -> None:
    assert "No library is shared with you yet" in text_of(client_of(people.outsider).get("/"))


@pytest.mark.parametrize("name", ["owner", "colleague"])
def test_search_should_show_hits_to_those_who_may_read(people: People, library: Library, name: str) -> None:
    response = client_of(getattr(people, name)).get("/?q=paid leave")
    assert titles(response)[0] == "leave policy"
    assert b"<mark>paid leave</mark>" in response.content or b"<mark>leave</mark>" in response.content


def test_search_should_show_outsiders_nothing_at_all(people: People, library: Library) -> None:
    response = client_of(people.outsider).get(f"/?q=paid leave&library={library.pk}")
    shown = text_of(response)
    assert titles(response) == []
    assert "Nothing found" in shown
    assert library.name not in shown and "25 days" not in shown


def test_search_should_forget_at_once_those_whose_access_ends(people: People, library: Library) -> None:
    client = client_of(people.colleague)
    assert titles(client.get("/?q=leave"))
    Access.objects.filter(user=people.colleague).delete()
    assert titles(client.get("/?q=leave")) == []


def test_search_should_escape_what_documents_hold_and_still_mark_it(people: People) -> None:
    ready_document(people.library, HOSTILE, "hostile.txt", title="<img src=x> leave")
    content = client_of(people.owner).get("/?q=leave").content.decode()
    assert "&lt;script&gt;" in content
    assert "<script>alert" not in content and "<b onclick" not in content and "<img" not in content
    assert "<mark>leave</mark>" in content


def test_search_should_escape_the_query(people: People) -> None:
    content = client_of(people.owner).get('/?q="><script>alert(1)</script>').content.decode()
    assert "<script>alert" not in content


def test_search_should_answer_typing_with_results_alone_and_no_reranking(
    people: People, library: Library, settings: Any
) -> None:
    settings.RERANK_BACKEND = "auto"
    response = client_of(people.owner).get("/?q=leave&stage=typing", headers=HTMX)
    assert b"<html" not in response.content and titles(response)
    assert b'"stage": "best"' not in response.content
    assert response["HX-Replace-Url"] == "/?q=leave"


def test_search_should_show_the_first_order_and_then_ask_for_the_reranked_one(
    people: People, library: Library, settings: Any
) -> None:
    settings.RERANK_BACKEND = "auto"
    response = client_of(people.owner).get("/?q=leave&type=txt&stage=first", headers=HTMX)
    assert titles(response)
    assert b'"stage": "best"' in response.content and b'hx-trigger="load"' in response.content
    assert response["HX-Push-Url"] == "/?q=leave&type=txt"


def test_search_should_not_ask_for_a_reranking_that_is_switched_off(people: People, library: Library) -> None:
    response = client_of(people.owner).get("/?q=leave&stage=first", headers=HTMX)
    assert b'"stage": "best"' not in response.content


def test_search_should_leave_the_address_alone_when_it_swaps_the_order(
    people: People, library: Library
) -> None:
    response = client_of(people.owner).get("/?q=leave&stage=best", headers=HTMX)
    assert response["HX-Push-Url"] == "false"
    assert titles(response)


@pytest.mark.parametrize("stage", ["", "typing", "first", "best"])
def test_the_page_should_say_nothing_of_reranking_and_no_milliseconds(
    people: People, library: Library, settings: Any, stage: str
) -> None:
    for settings.RERANK_BACKEND in ("off", "auto"):
        shown = text_of(
            client_of(people.owner).get(f"/?q=leave&stage={stage}", headers=HTMX if stage else {})
        )
        assert "1 document" in shown or "2 documents" in shown or "3 documents" in shown
        assert "rerank" not in shown and "first order" not in shown and " ms" not in shown


def test_search_should_give_the_whole_page_after_back(people: People, library: Library) -> None:
    headers = {**HTMX, "HX-History-Restore-Request": "true"}
    response = client_of(people.owner).get("/?q=leave", headers=headers)
    assert b"<html" in response.content and titles(response)


def test_search_should_stay_out_of_caches(people: People) -> None:
    response = client_of(people.owner).get("/?q=leave")
    assert "no-store" in response["Cache-Control"] and "HX-Request" in response["Vary"]


def test_search_should_group_the_passages_of_a_document(people: People) -> None:
    sections = "\n\n".join(f"# Part {n}\n\n" + f"The pump needs oil number {n}. " * 40 for n in range(4))
    ready_document(people.library, sections, "pumps.md")
    response = client_of(people.owner).get("/?q=pump oil")
    assert titles(response).count("Part 0") + titles(response).count("pumps") == 1
    assert response.content.count(b'class="hit"') > 1


def test_facets_should_narrow_by_a_link_and_widen_by_the_same(people: People, library: Library) -> None:
    client = client_of(people.owner)
    response = client.get("/?q=25 leave 휴가 travel")
    narrowed = client.get(link(response, "MD 1"))
    assert titles(narrowed) == ["Travel"]
    both = client.get(link(narrowed, "TXT 2"))
    assert sorted(titles(both)) == sorted(titles(response)) and len(titles(both)) == 3
    assert link(both, "Remove all") == link(narrowed, "MD ×")


def test_facets_should_name_languages_in_words(people: People, library: Library) -> None:
    client = client_of(people.owner)
    narrowed = client.get(link(client.get("/?q=25 leave 휴가 travel"), "Korean 1"))
    assert titles(narrowed) == ["휴가 규정"]


def test_filters_should_go_along_with_the_next_query(people: People, library: Library) -> None:
    response = client_of(people.owner).get("/?q=leave&type=txt&stage=first", headers=HTMX)
    assert b'<input type="hidden" form="search" name="type" value="txt">' in response.content


def test_a_filter_without_hits_should_still_be_removable(people: People, library: Library) -> None:
    response = client_of(people.owner).get("/?q=leave&year=1789")
    assert link(response, "1789 ×") == "/?q=leave"
    assert link(response, "Search without the filters") == "/?q=leave"


@pytest.fixture
def many(people: People) -> None:
    for number in range(13):
        ready_document(people.library, f"Pump number {number} needs oil.", f"pump-{number}.txt")


def test_results_should_be_turned_page_by_page(people: People, many: None) -> None:
    client = client_of(people.owner)
    first = client.get("/?q=pump")
    second = client.get(link(first, "Next"))
    assert len(titles(first)) == 10 and len(titles(second)) == 3
    assert not set(titles(first)) & set(titles(second))
    assert link(second, "Previous") == "/?q=pump"
    assert "13 documents" in text_of(first)


@pytest.fixture
def manuals(people: People) -> None:
    """Twelve documents, each with several passages about pumps."""
    for number in range(12):
        sections = "\n\n".join(
            f"# Part {number}.{part}\n\n" + f"The pump needs oil number {part}. " * 40 for part in range(7)
        )
        ready_document(people.library, sections, f"manual-{number}.md", title=f"Manual {number}")


def test_a_document_should_stand_once_on_all_pages(people: People, manuals: None) -> None:
    client = client_of(people.owner)
    first = client.get("/?q=pump oil")
    shown = titles(first) + titles(client.get(link(first, "Next")))
    assert len(titles(first)) == 10
    assert sorted(shown) == sorted(set(shown)) and len(shown) == 12
    assert "12 documents" in text_of(first)


def test_a_document_should_show_three_passages_and_fold_the_rest(people: People, manuals: None) -> None:
    response = client_of(people.owner).get("/?q=pump oil")
    group = response.content.decode().split('class="group"')[1]
    before, folded = group.split("<details")
    assert before.count('class="hit"') == 3
    count = folded.count('class="hit"')
    assert f"{count} more in this document" in folded


@pytest.mark.parametrize("page", ["abc", "-1", "0", "²", "9" * 50])
def test_page_numbers_that_are_none_should_mean_a_page_that_is_one(page: str) -> None:
    assert 1 <= SearchParams.of(QueryDict(f"q=pump&page={page}")).page <= 100


def test_a_page_past_the_last_should_lead_back(people: People, many: None) -> None:
    response = client_of(people.owner).get("/?q=pump&page=7")
    assert "There is no page 7" in text_of(response)
    assert link(response, "Back to the first page") == "/?q=pump"


def test_a_search_without_hits_should_say_what_to_do(people: People) -> None:
    response = client_of(people.owner).get("/?q=leave")
    assert "Nothing found for “leave”" in text_of(response)
    assert "Use fewer or other words" in text_of(response)


@pytest.mark.parametrize(("query", "status"), [("leave\x01", 400), ("a" * 10_001, 413)])
def test_a_query_that_cannot_be_asked_should_be_refused_in_place(
    people: People, query: str, status: int
) -> None:
    response = client_of(people.owner).get("/", {"q": query})
    assert response.status_code == status
    assert "This query can't be searched" in text_of(response)


def test_an_index_that_is_away_should_be_said_with_a_way_to_try_again(
    people: People, library: Library, settings: Any
) -> None:
    settings.QDRANT_URL = "http://127.0.0.1:9"
    engine.index.cache_clear()
    response = client_of(people.owner).get("/?q=leave&stage=first", headers=HTMX)
    assert response.status_code == 503
    assert link(response, "Try again") == "/?q=leave"
