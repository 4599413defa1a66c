from __future__ import annotations

import re
import uuid
from typing import Any

import pytest

from library.models import Access, Document, Role
from searchapp import reader
from tests.factories import People, document, ready_document
from tests.pages import client_of, link, text_of

TEXT = """# Leave policy

Every employee has 25 days of paid leave a year.

# Travel

Book trains <b>through</b> the travel desk & nowhere else.

| City | Price |
|---|---|
| Seoul | 210 |
| Graz | 98 |
"""


@pytest.fixture
def stored(people: People) -> Any:
    return ready_document(people.library, TEXT, "policy.md")


def test_document_should_be_readable_by_those_who_may(people: People, stored: Any) -> None:
    for user in (people.owner, people.colleague):
        response = client_of(user).get(f"/documents/{stored.pk}/")
        assert response.status_code == 200
        assert "25 days of paid leave" in text_of(response)


@pytest.mark.parametrize("address", ["/documents/{}/", "/documents/{}/file/"])
def test_document_should_not_exist_for_outsiders(people: People, stored: Any, address: str) -> None:
    client = client_of(people.outsider)
    refused, absent = (client.get(address.format(pk)) for pk in (stored.pk, uuid.uuid4()))
    assert refused.status_code == absent.status_code == 404
    assert text_of(refused) == text_of(absent)


def test_document_should_show_structure_and_escape_the_rest(people: People, stored: Any) -> None:
    content = client_of(people.owner).get(f"/documents/{stored.pk}/").content.decode()
    assert re.search(r"<h2[^>]*>Travel</h2>", content)
    assert re.search(r"<th scope=\"col\">City</th>", content) and "<td>210</td>" in content
    assert "&lt;b&gt;" in content or "<b>" not in content


def test_document_should_say_what_of_its_file_was_lost(people: People, stored: Any) -> None:
    assert "What to know" not in text_of(client_of(people.owner).get(f"/documents/{stored.pk}/"))
    Document.objects.update(warnings=["Sheet “<b>” is hidden."])
    response = client_of(people.owner).get(f"/documents/{stored.pk}/")
    assert "<li>Sheet “&lt;b&gt;” is hidden.</li>" in response.content.decode()


def test_document_should_mark_the_passage_and_the_words_of_the_query(people: People, stored: Any) -> None:
    chunk = stored.chunks.get(text__contains="25 days")
    response = client_of(people.owner).get(f"/documents/{stored.pk}/?chunk={chunk.pk}&q=leave&type=md")
    content = response.content.decode()
    assert content.count('id="passage"') == 1
    assert 'class="in"' in content
    assert "<mark>leave</mark>" in content
    assert link(response, "← Results for “leave”") == "/?q=leave&type=md"


@pytest.mark.parametrize("chunk", [str(uuid.uuid4()), "nonsense", "' OR 1=1"])
def test_document_should_be_shown_without_a_passage_that_it_has_no_more(
    people: People, stored: Any, chunk: str
) -> None:
    response = client_of(people.owner).get(f"/documents/{stored.pk}/", {"chunk": chunk})
    assert "This document has changed since it was found" in text_of(response)
    assert b'id="passage"' not in response.content


def test_a_passage_of_another_document_should_not_be_shown(people: People, stored: Any) -> None:
    other = ready_document(people.library, "Something else altogether.", "other.txt")
    chunk = other.chunks.get()
    response = client_of(people.owner).get(f"/documents/{stored.pk}/?chunk={chunk.pk}")
    assert b'id="passage"' not in response.content


def test_a_long_document_should_open_at_the_part_with_the_passage(people: People) -> None:
    text = "\n\n".join(f"Line {n} of the long report speaks of pumps." for n in range(4000))
    stored = ready_document(people.library, text, "long.txt")
    chunk = stored.chunks.filter(text__contains="Line 3900 ").first()
    client = client_of(people.owner)
    response = client.get(f"/documents/{stored.pk}/?chunk={chunk.pk}")
    assert "Line 3900 of" in text_of(response) and "Line 10 of" not in text_of(response)
    assert len(response.content) < 4 * reader.PART
    first = client.get(f"/documents/{stored.pk}/{link(response, '1')}")
    assert "Line 10 of" in text_of(first)


def test_document_should_say_that_it_is_still_being_read(people: People) -> None:
    waiting = document(people.library)
    assert "still being read" in text_of(client_of(people.owner).get(f"/documents/{waiting.pk}/"))


def test_only_editors_should_be_offered_to_delete(people: People, stored: Any) -> None:
    address = f"/documents/{stored.pk}/"
    assert "Delete for good" in text_of(client_of(people.owner).get(address))
    assert "Delete for good" not in text_of(client_of(people.colleague).get(address))
    Access.objects.filter(user=people.colleague).update(role=Role.EDITOR)
    assert "Delete for good" in text_of(client_of(people.colleague).get(address))


def test_original_should_come_as_an_inert_attachment(people: People, stored: Any) -> None:
    response = client_of(people.colleague).get(f"/documents/{stored.pk}/file/")
    assert b"".join(response.streaming_content) == TEXT.encode()
    assert response["Content-Disposition"] == 'attachment; filename="policy.md"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]


def test_pages_should_allow_no_inline_code(people: People, stored: Any) -> None:
    response = client_of(people.owner).get(f"/documents/{stored.pk}/")
    assert "unsafe" not in response["Content-Security-Policy"]
    assert not re.search(rb"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", response.content)
