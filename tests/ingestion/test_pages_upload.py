from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from library.models import Document
from tests.factories import People, document
from tests.pages import client_of, text_of

HTMX = {"HX-Request": "true"}


def upload(people: People, *files: tuple[str, bytes], **more: Any) -> Any:
    uploads = [SimpleUploadedFile(name, content) for name, content in files]
    return client_of(people.owner).post(f"/libraries/{people.library.pk}/upload/", {"file": uploads}, **more)


def test_upload_should_store_many_files_and_say_so_of_each(people: People) -> None:
    response = upload(people, ("a.txt", b"Leave"), ("b.md", b"# Travel"), ("c.exe", b"MZ"))
    shown = text_of(response)
    assert "a.txt stored" in shown and "b.md stored" in shown
    assert "c.exe Files of this type are not accepted." in shown
    assert set(Document.objects.values_list("name", "created_by__username")) == {
        ("a.txt", "owner"),
        ("b.md", "owner"),
    }


def test_upload_should_answer_a_script_with_the_outcome_alone(people: People) -> None:
    response = upload(people, ("a.txt", b"Leave"), headers=HTMX)
    assert b"<html" not in response.content
    assert response.content.count(b"<li") == 1 and b'class="accepted"' in response.content


def test_upload_should_link_to_the_document_that_a_duplicate_repeats(people: People) -> None:
    first = document(people.library, "Leave", "first.txt")
    response = upload(people, ("second.txt", b"Leave"))
    assert "second.txt This library already has this file, as “first.txt”." in text_of(response)
    assert f'href="/documents/{first.pk}/"' in response.content.decode()


def test_upload_should_judge_each_file_for_itself(people: People) -> None:
    shown = text_of(upload(people, ("empty.txt", b""), ("good.txt", b"Leave")))
    assert "empty.txt The file is empty." in shown and "good.txt stored" in shown


def test_upload_should_unpack_a_zip(people: People) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("2026/leave.txt", "Leave is 25 days.")
        archive.writestr("travel.md", "# Travel")
        archive.writestr("virus.exe", "MZ")
    shown = text_of(upload(people, ("all.zip", packed.getvalue())))
    assert "leave.txt stored" in shown and "travel.md stored" in shown
    assert "virus.exe Files of this type" in shown
    assert Document.objects.count() == 2


def test_upload_should_refuse_a_zip_that_climbs(people: People) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("../../etc/passwd.txt", "root")
    response = upload(people, ("all.zip", packed.getvalue()), headers=HTMX)
    assert b'class="refused"' in response.content and "all.zip" in text_of(response)
    assert not Document.objects.exists()


def test_upload_should_escape_names(people: People) -> None:
    content = upload(people, ("<img src=x onerror=alert(1)>.txt", b"Leave")).content.decode()
    assert "<img" not in content


def test_upload_without_a_file_should_say_what_to_do(people: People) -> None:
    response = upload(people)
    assert response.status_code == 422
    assert "Choose at least one file." in text_of(response)


def test_upload_should_refuse_what_is_too_large(people: People, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 2**20
    shown = text_of(upload(people, ("big.txt", b"x" * (2**20 + 1))))
    assert "big.txt The file is larger than 1 MB." in shown


def test_too_many_files_at_once_should_be_refused_with_help(people: People, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 2
    response = upload(people, *[(f"{n}.txt", b"x") for n in range(3)])
    assert response.status_code == 400
    assert not Document.objects.exists()


@pytest.mark.parametrize("method", ["get", "put"])
def test_upload_should_take_nothing_but_posts(people: People, method: str) -> None:
    assert (
        getattr(client_of(people.owner), method)(f"/libraries/{people.library.pk}/upload/").status_code == 405
    )
