"""Term frequencies follow every document that comes, changes or goes, and can be counted again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile

from indexing import frequencies, reconciler
from indexing.models import TermFrequencies
from ingestion import documents, pipeline
from library.models import Chunk, Library
from retrieval.frequencies import Frequencies, merge
from retrieval.lexical import query_terms
from tests.factories import People, ready_document
from tests.support.models import static_model


@pytest.fixture(autouse=True)
def small_engine(settings: Any, tmp_path: Any) -> None:
    settings.ENCODER, settings.DIMENSIONS = str(static_model(tmp_path / "encoder")), 12


def known(library: Library) -> Frequencies:
    return merge(frequencies.of_libraries([library.pk]))


def holding(library: Library, word: str) -> int:
    (count,) = known(library).of(query_terms(word, ["en"]).ids)
    return int(count)


def assert_counted(library: Library) -> None:
    """What was counted step by step is what counting anew would give."""
    found = known(library)
    expected = frequencies.of_chunks(Chunk.objects.filter(document__library=library))
    assert found.passages == expected.passages
    assert +found.languages == expected.languages
    np.testing.assert_array_equal(found.terms, expected.terms)
    np.testing.assert_array_equal(found.counts, expected.counts)


def test_every_change_of_a_document_should_be_counted(people: People) -> None:
    library = people.library
    dog = ready_document(library, "The dog barks.", "one.txt")
    ready_document(library, "Dogs and cats sleep.", "two.txt")
    assert (holding(library, "dog"), holding(library, "cat")) == (2, 1)
    assert_counted(library)
    ready_document(library, "The cats purr all day.", "one.txt")  # its next version
    assert (holding(library, "dog"), holding(library, "cat")) == (1, 2)
    assert_counted(library)
    dog.refresh_from_db()
    documents.delete(dog)
    assert (holding(library, "purr"), known(library).passages) == (0, 1)
    assert_counted(library)


def test_a_document_in_another_language_should_be_counted_by_its_stems(people: People) -> None:
    german = "Die Mitarbeiter bekommen jedes Jahr dreißig Urlaubstage und nehmen sie bis zum Ende des Jahres."
    ready_document(people.library, german, "urlaub.txt")
    assert known(people.library).languages == {"de": 1}
    assert_counted(people.library)


def test_a_library_should_take_its_frequencies_along(people: People) -> None:
    ready_document(people.library, "The dog barks.")
    documents.delete_library(people.library)
    assert not TermFrequencies.objects.exists()


def test_a_second_delivery_should_be_counted_once(people: People) -> None:
    stored = documents.create(people.library, "dog.txt", ContentFile(b"The dog barks."))
    for _ in range(3):
        pipeline.run(stored.pk)
    assert known(people.library).passages == 1


def test_many_documents_should_make_few_parts(people: People) -> None:
    for number in range(20):
        ready_document(
            people.library, f"The dog barks {number} times, said cat number {number * 7}.", f"{number}.txt"
        )
    assert TermFrequencies.objects.count() <= 6
    assert_counted(people.library)


def test_a_part_should_be_read_from_the_database_once(people: People, django_assert_num_queries: Any) -> None:
    ready_document(people.library, "The dog barks.")
    before = frequencies.of_libraries([people.library.pk])
    with django_assert_num_queries(1) as asked:
        after = frequencies.of_libraries([people.library.pk])
    assert before[0] is after[0]
    assert "CASE" in asked.captured_queries[0]["sql"]


def test_what_does_not_add_up_should_be_counted_again(people: People) -> None:
    ready_document(people.library, "The dog barks.")
    hidden = Library.objects.create(name="Other")
    ready_document(hidden, "Cats sleep.")
    TermFrequencies.objects.filter(library=people.library).delete()
    assert frequencies.repair() == [people.library.pk]
    assert frequencies.repair() == []
    assert_counted(people.library)
    TermFrequencies.objects.filter(library=hidden).update(passages=9)
    reconciler.run(timedelta(0))
    assert_counted(hidden)
