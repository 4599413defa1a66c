"""Libraries that a person may not read change neither the scores nor the order of what they find."""

from __future__ import annotations

from typing import Any

import pytest

from library.models import Library
from searchapp.search import Filters, Page, search
from tests.factories import People, ready_document
from tests.support.models import static_model

OWN = {
    "pump.txt": "The pump needs oil, and the valve of the pump needs a gasket each year.",
    "valve.txt": "The valve is opened by hand before the pump is started again.",
    "hat.txt": "A hard hat is worn by everybody in the hall, and gloves are worn by the welders.",
    "die.txt": "Die casting forces molten metal into a mould under high pressure.",
    "hinge.txt": "The door hinge of the cabinet is greased twice a year.",
}
FOREIGN = (
    "The gasket of the pump is made of rubber number {n}.",
    "Die Mitarbeiter der Firma bekommen jedes Jahr den Urlaub, der für sie in dem Vertrag steht, Nummer {n}.",
    "Zebras of the zoo number {n} eat grass and hay all day long.",
    "De deur van het huis wordt door de portier in de avond gesloten, en niet over de dag, nummer {n}.",
)
QUERIES = [
    *("pump", "gasket", "zebra", "pump gasket valve", "die casting", "door hinge", "hard hat"),
    "which valve is opened before the pump",
]


@pytest.fixture(autouse=True)
def small_engine(settings: Any, tmp_path: Any) -> None:
    settings.ENCODER, settings.DIMENSIONS = str(static_model(tmp_path / "encoder")), 12
    settings.RERANK_BACKEND = "off"


def found(page: Page) -> list[tuple[str, dict[str, float | None]]]:
    return [(hit.chunk.document.name, dict(hit.scores)) for hit in page.hits]


def test_what_one_may_not_read_should_change_no_score(people: People) -> None:
    for name, text in OWN.items():
        ready_document(people.library, text, name)
    before = {query: found(search(people.colleague, query)) for query in QUERIES}
    hidden = Library.objects.create(name="Hidden")
    for number in range(20):
        ready_document(hidden, FOREIGN[number % len(FOREIGN)].format(n=number), f"{number}.txt")
    after = {query: found(search(people.colleague, query)) for query in QUERIES}
    assert after == before
    assert all(before[query] for query in QUERIES)


def test_a_library_that_is_not_searched_should_change_no_score(people: People) -> None:
    """Nor one that may be read: a search is weighed by what it searches."""
    only = Filters(library=(str(people.library.pk),))
    for name, text in OWN.items():
        ready_document(people.library, text, name)
    other = Library.objects.create(name="Other")
    before = found(search(people.owner, "pump gasket", filters=only))
    people.owner.is_superuser = True
    ready_document(other, "The gasket of the pump.", "other.txt")
    assert found(search(people.owner, "pump gasket", filters=only)) == before
    assert len(search(people.owner, "pump gasket").hits) == len(before) + 1


@pytest.mark.parametrize(
    ("query", "name"), [("die casting", "die.txt"), ("door hinge", "hinge.txt"), ("hard hat", "hat.txt")]
)
def test_stop_words_of_another_language_should_stay_in_the_query(
    people: People, query: str, name: str
) -> None:
    for own, text in OWN.items():
        ready_document(people.library, text, own)
    for number, text in enumerate(FOREIGN):
        ready_document(people.library, text.format(n=number), f"{number}.txt")
    first = search(people.colleague, query).hits[0]
    assert first.chunk.document.name == name
    marked = {first.snippet.text[start:end].lower() for start, end in first.snippet.highlights}
    assert set(query.split()) <= marked


@pytest.mark.parametrize("filters", [Filters(), Filters(type=("txt",))])
def test_a_search_should_ask_the_database_five_times(
    people: People, django_assert_max_num_queries: Any, filters: Filters
) -> None:
    for count in (1, 10, 100):
        for number in range(people.library.documents.count(), count):
            ready_document(people.library, f"The dog number {number} barks.", f"{number}.txt")
        search(people.colleague, "dog", filters=filters)  # this process knows the term frequencies now
        with django_assert_max_num_queries(5):
            page = search(people.colleague, "dog", filters=filters, limit=100)
        assert len(page.hits) == count
