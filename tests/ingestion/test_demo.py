"""Each suggested question of the demo library finds its document first or second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from ingestion import demo, pipeline
from library.models import Document, Status
from searchapp.search import search

EINSTEIN = "알베르트 아인슈타인은 어디에서 태어났나요?"


@pytest.fixture
def reader(db: None, settings: Any, tmp_path: Path) -> Any:
    """An admin, with the demo library ready to be searched."""
    settings.DATA_DIR = tmp_path
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


def test_a_second_start_should_not_bring_back_what_was_deleted(reader: Any) -> None:
    assert Document.objects.count() >= 30
    Document.objects.all().delete()
    demo.load_demo()
    assert Document.objects.count() == 0


def test_a_load_that_was_cut_off_should_be_finished(reader: Any, tmp_path: Path) -> None:
    whole = Document.objects.count()
    Document.objects.filter(name__endswith=".pdf").delete()
    (tmp_path / "demo-loaded").unlink()
    demo.load_demo()
    assert Document.objects.count() == whole
