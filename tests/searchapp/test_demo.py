"""Each suggested question of the demo library finds its document first or second."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model

from ingestion import pipeline
from ingestion.models import Document, Status
from searchapp import demo
from searchapp.search import search

EINSTEIN = "알베르트 아인슈타인은 어디에서 태어났나요?"


@pytest.fixture
def reader(db: None) -> Any:
    """An admin, with the demo library ready to be searched."""
    admin = get_user_model().objects.create_superuser("demo-admin")
    demo.load_demo()
    for pk in list(Document.objects.values_list("pk", flat=True)):
        pipeline.run(pk)
    return admin


def ranked(page: Any) -> list[str]:
    """The documents of a page in order, each once."""
    return list(dict.fromkeys(hit.chunk.document.name for hit in page.hits))


def test_every_question_should_find_its_document_first_or_second(reader: Any) -> None:
    assert set(Document.objects.values_list("status", flat=True)) == {Status.READY}
    missed = {}
    for rerank in (False, True):
        for q in demo.questions():
            found = ranked(search(reader, q["question"], rerank=rerank, deadline_ms=30_000))
            if q["document"] not in found[:2]:
                missed[q["question"], rerank] = found[:3]
    assert missed == {}
    first = search(reader, EINSTEIN, deadline_ms=30_000).hits[0]
    assert "1879년 독일 울름에서" in first.chunk.text


def test_a_second_start_should_not_load_the_demo_again(reader: Any) -> None:
    before = Document.objects.count()
    demo.load_demo()
    assert Document.objects.count() == before >= 30
