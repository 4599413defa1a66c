from __future__ import annotations

import io
import tempfile
import uuid
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from ingestion import documents, pipeline
from ingestion.models import IdempotencyKey
from library.models import Access, Document, Library, Role, Status
from tests.factories import People, document, ready_document
from tests.ingestion import making
from tests.support.rest import client_of, code_of

URL = "/api/v1/documents"


def upload(
    client: Any, library: Library | str, *, name: str = "leave.txt", content: bytes = b"25 days.", **more: Any
):
    reference = library if isinstance(library, str) else str(library.pk)
    headers = more.pop("headers", {})
    data = {"file": SimpleUploadedFile(name, content), "library": reference, **more}
    return client.post(URL, data, format="multipart", headers=headers)


def test_upload_should_answer_202_with_the_place_of_the_queued_document(people: People) -> None:
    client = client_of(people.owner)
    answer = upload(client, people.library, title="Leave", tags=["hr, rules", "uk"], metadata='{"by": "Kim"}')
    assert answer.status_code == 202
    body = answer.json()
    assert (body["status"], body["title"], body["name"], body["type"]) == (
        "queued",
        "Leave",
        "leave.txt",
        "txt",
    )
    assert (body["error"], body["version"], body["progress"]) == (None, 1, 0.0)
    assert answer["Location"].endswith(f"{URL}/{body['id']}")
    assert client.get(answer["Location"]).json() == body
    stored = Document.objects.get(pk=body["id"])
    assert (stored.tags, stored.metadata, stored.created_by) == (
        ["hr", "rules", "uk"],
        {"by": "Kim"},
        people.owner,
    )


def test_upload_should_take_the_library_by_name(people: People) -> None:
    assert upload(client_of(people.owner), "Handbook").status_code == 202


def test_upload_should_be_refused_to_viewers_and_hidden_from_outsiders(people: People) -> None:
    assert code_of(upload(client_of(people.colleague), people.library), 403) == "forbidden"
    assert code_of(upload(client_of(people.outsider), people.library), 404) == "not_found"
    assert code_of(upload(client_of(people.outsider), "Handbook"), 404) == "not_found"
    assert not Document.objects.exists()


def test_upload_should_link_a_duplicate(people: People) -> None:
    client = client_of(people.owner)
    first = upload(client, people.library)
    second = upload(client, people.library, name="copy.txt")
    assert code_of(second, 409) == "duplicate"
    assert second.json()["document"] == first["Location"]


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("empty.txt", b"", 400, "empty"),
        ("run.pdf.exe", b"MZ", 415, "type_not_allowed"),
        ("macro.xlsb", b"PK\x03\x04", 415, "type_not_allowed"),
        ("noextension", b"text", 415, "type_not_allowed"),
        ("fake.pdf", b"no pdf at all", 415, "type_mismatch"),
        ("CON.txt", b"text", 400, "bad_name"),
    ],
)
def test_upload_should_name_what_is_wrong_with_a_file(
    people: People, name: str, content: bytes, status: int, code: str
) -> None:
    assert (
        code_of(upload(client_of(people.owner), people.library, name=name, content=content), status) == code
    )
    assert not Document.objects.exists()


def test_upload_should_refuse_a_file_over_the_limit(people: People, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 2**20
    just_over, far_over = b"x" * (2**20 + 1), b"x" * (3 * 2**20)
    client = client_of(people.owner)
    assert code_of(upload(client, people.library, content=just_over), 413) == "too_large"
    assert code_of(upload(client, people.library, content=far_over), 413) == "too_large"


def form(*parts: str, end: str = "--b--\r\n") -> bytes:
    return ("".join(f"--b\r\n{part}\r\n" for part in parts) + end).encode()


FILE = 'Content-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\ntext'
LIBRARY = 'Content-Disposition: form-data; name="library"\r\n\r\nHandbook'


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(form(LIBRARY), id="no file"),
        pytest.param(form(FILE), id="no library"),
        pytest.param(form(LIBRARY, FILE, FILE), id="two files"),
        pytest.param(form(LIBRARY, FILE, FILE.replace('"file"', '"other"')), id="a file in another field"),
        pytest.param(form(LIBRARY, LIBRARY, FILE), id="repeated field"),
        pytest.param(form(LIBRARY, FILE, end="")[:-3], id="cut off in the file"),
        pytest.param(form(FILE, LIBRARY)[:20], id="cut off in a header"),
        pytest.param(b"\x00\xff" * 50, id="no form"),
    ],
)
def test_upload_should_call_a_damaged_form_bad(people: People, body: bytes) -> None:
    client = client_of(people.owner)
    answer = client.generic("POST", URL, body, content_type="multipart/form-data; boundary=b")
    assert code_of(answer, 400) == "bad_form"
    assert not Document.objects.exists()


def test_upload_should_need_a_form(people: People) -> None:
    client = client_of(people.owner)
    assert code_of(client.post(URL, {"library": "Handbook"}, format="json"), 415) == "unsupported_media_type"
    no_boundary = client.generic("POST", URL, form(LIBRARY, FILE), content_type="multipart/form-data")
    assert code_of(no_boundary, 400) == "bad_form"


@pytest.mark.parametrize("metadata", ["[]", "{", "NaN", '{"a": ' * 2000, '{"a": NaN}'])
def test_upload_should_refuse_metadata_that_is_no_object(people: People, metadata: str) -> None:
    assert code_of(upload(client_of(people.owner), people.library, metadata=metadata), 400) == "invalid"


@pytest.mark.parametrize("metadata", ['{"a": "\\u0000"}', '{"a": "\\ud800"}'])
def test_upload_should_refuse_metadata_that_no_database_stores(people: People, metadata: str) -> None:
    assert code_of(upload(client_of(people.owner), people.library, metadata=metadata), 400) == "bad_details"


def test_upload_should_answer_the_same_key_with_the_same_document(people: People) -> None:
    client, key = client_of(people.owner), {"Idempotency-Key": "import-17"}
    first = upload(client, people.library, headers=key)
    again = upload(client, people.library, headers=key)
    assert (again.status_code, again["Location"]) == (202, first["Location"])
    assert Document.objects.get().version == 1


def test_upload_should_refuse_a_key_that_came_with_another_file(people: People) -> None:
    client, key = client_of(people.owner), {"Idempotency-Key": "import-17"}
    upload(client, people.library, headers=key)
    other = upload(client, people.library, name="other.txt", content=b"Other.", headers=key)
    assert code_of(other, 422) == "idempotency_key_reused"


def test_upload_should_not_share_keys_between_people(people: People) -> None:
    Access.objects.filter(user=people.colleague).update(role=Role.EDITOR)
    key = {"Idempotency-Key": "1"}
    first = upload(client_of(people.owner), people.library, headers=key)
    second = upload(client_of(people.colleague), people.library, name="b.txt", content=b"B.", headers=key)
    assert second.status_code == 202
    assert second["Location"] != first["Location"]


def test_upload_should_not_give_a_document_to_a_key_from_a_library_that_one_lost(people: People) -> None:
    other = Library.objects.create(name="Other")
    Access.objects.create(library=other, user=people.owner, role=Role.MANAGER)
    client, key = client_of(people.owner), {"Idempotency-Key": "1"}
    upload(client, other, headers=key)
    Access.objects.filter(library=other).delete()
    assert code_of(upload(client, people.library, headers=key), 422) == "idempotency_key_reused"


def test_upload_should_forget_keys_after_a_day(people: People) -> None:
    client, key = client_of(people.owner), {"Idempotency-Key": "1"}
    upload(client, people.library, headers=key)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert code_of(upload(client, people.library, headers=key), 409) == "duplicate"
    assert upload(client, people.library, content=b"New.", headers=key).status_code == 202


MEMBERS = {"2026/leave.txt": "Leave is 25 days.", "travel.md": "# Travel", "virus.exe": "MZ"}


def packed(members: dict[str, str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text)  # at the same time whenever
    return out.getvalue()


def upload_zip(people: People, members: dict[str, str] = MEMBERS, **more: Any) -> Any:
    return upload(client_of(people.owner), people.library, name="all.zip", content=packed(members), **more)


def test_a_zip_should_answer_202_with_what_became_of_each_member(people: People) -> None:
    answer = upload_zip(people, tags=["hr"], metadata='{"by": "Kim"}')
    assert answer.status_code == 202
    leave, travel, virus = answer.json()["members"]
    assert (leave["name"], leave["document"]["name"], leave["error"]) == (*["2026/leave.txt"] * 2, None)
    assert (leave["document"]["status"], travel["document"]["status"]) == ("queued", "queued")
    assert (virus["document"], virus["error"]["code"]) == (None, "type_not_allowed")
    assert not Document.objects.filter(type="zip").exists()
    stored = Document.objects.get(name="travel.md")
    assert (stored.tags, stored.metadata, stored.created_by) == (["hr"], {"by": "Kim"}, people.owner)
    listed = client_of(people.owner).get(answer["Location"]).json()["results"]
    assert {d["id"] for d in listed} == {leave["document"]["id"], travel["document"]["id"]}


def test_a_zip_should_say_which_members_are_there_already(people: People) -> None:
    first = upload_zip(people).json()["members"]
    again = upload_zip(people).json()["members"]
    assert [(m["error"] or {}).get("code") for m in again] == ["duplicate", "duplicate", "type_not_allowed"]
    assert again[0]["document"]["id"] == first[0]["document"]["id"]


def test_a_zip_that_is_sent_again_with_its_key_should_be_answered_alike(people: People) -> None:
    key = {"Idempotency-Key": "import-17"}
    first = upload_zip(people, headers=key)
    again = upload_zip(people, headers=key)
    assert (again.status_code, again.json(), again["Location"]) == (202, first.json(), first["Location"])
    assert set(Document.objects.values_list("version", flat=True)) == {1}


def test_a_zip_should_not_take_the_key_of_another_upload(people: People) -> None:
    client, key = client_of(people.owner), {"Idempotency-Key": "import-17"}
    upload_zip(people, headers=key)
    assert code_of(upload_zip(people, {"a.txt": "Other."}, headers=key), 422) == "idempotency_key_reused"
    assert code_of(upload(client, people.library, headers=key), 422) == "idempotency_key_reused"
    other = {"Idempotency-Key": "18"}
    upload(client, people.library, headers=other)
    assert code_of(upload_zip(people, headers=other), 422) == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x03\x04 no more", "corrupt"),
        (packed({}), "empty"),
        (packed({"../a.txt": "x"}), "unsafe_archive"),
        (packed({"a.txt": "Kept out too.", "b.zip": "x"}), "unsafe_archive"),
    ],
)
def test_a_zip_that_is_refused_as_a_whole_should_be_a_problem(
    people: People, content: bytes, code: str
) -> None:
    answer = upload(client_of(people.owner), people.library, name="all.zip", content=content)
    assert code_of(answer, 400) == code
    assert not Document.objects.exists()


def test_a_member_that_does_not_unpack_should_be_refused_alone(people: People) -> None:
    content = bytearray(packed({"a.txt": "First.", "b.txt": "Second."}))
    content[content.index(b"First.")] = 0
    answer = upload(client_of(people.owner), people.library, name="all.zip", content=bytes(content))
    first, second = answer.json()["members"]
    assert (first["error"]["code"], second["document"]["status"]) == ("corrupt", "queued")


def test_a_zip_that_was_refused_should_not_keep_its_key(people: People) -> None:
    client, key = client_of(people.owner), {"Idempotency-Key": "1"}
    assert code_of(upload(client, people.library, name="a.zip", content=b"PK", headers=key), 400) == "corrupt"
    assert upload_zip(people, headers=key).status_code == 202


def test_a_zip_should_have_no_title(people: People) -> None:
    assert code_of(upload_zip(people, title="Leave"), 400) == "bad_form"


def test_document_should_say_why_it_failed(people: People) -> None:
    stored = document(people.library)
    Document.objects.filter(pk=stored.pk).update(
        status=Status.FAILED, error_code="encrypted", error_message="Remove the password.", progress=1.0
    )
    body = client_of(people.colleague).get(f"{URL}/{stored.pk}").json()
    assert (body["status"], body["progress"]) == ("failed", 1.0)
    assert body["error"] == {"code": "encrypted", "message": "Remove the password."}


def test_document_should_not_exist_for_outsiders(people: People) -> None:
    address = f"{URL}/{document(people.library).pk}"
    outsider = client_of(people.outsider)
    unknown = outsider.get(f"{URL}/{uuid.uuid4()}")
    for answer in (outsider.get(address), outsider.delete(address), outsider.get(f"{address}/file"), unknown):
        assert code_of(answer, 404) == "not_found"
    assert outsider.get(address).content == unknown.content
    assert Document.objects.exists()


def test_delete_should_be_for_editors(people: People) -> None:
    address = f"{URL}/{document(people.library).pk}"
    assert code_of(client_of(people.colleague).delete(address), 403) == "forbidden"
    assert client_of(people.owner).delete(address).status_code == 204
    assert code_of(client_of(people.owner).get(address), 404) == "not_found"


def test_list_should_hold_what_one_may_read_and_asks_for(people: People) -> None:
    hidden = Library.objects.create(name="Hidden")
    document(hidden, "Secret.", "secret.txt")
    ready = document(people.library, "A.", "a.txt")
    Document.objects.filter(pk=ready.pk).update(status=Status.READY)
    document(people.library, "B.", "b.txt")
    client = client_of(people.colleague)

    def names(query: str) -> list[str]:
        return [d["name"] for d in client.get(URL + query).json()["results"]]

    assert names("") == ["b.txt", "a.txt"]
    assert names("?status=ready") == ["a.txt"]
    assert names(f"?library={people.library.pk}&status=queued") == ["b.txt"]
    assert code_of(client.get(f"{URL}?library={hidden.pk}"), 404) == "not_found"
    assert client_of(people.outsider).get(URL).json() == {"results": [], "next": None}


def test_list_should_lead_through_all_pages(people: People) -> None:
    for number in range(5):
        document(people.library, f"Number {number}.", f"{number}.txt")
    client, address, seen = client_of(people.colleague), f"{URL}?limit=2", []
    while address:
        page = client.get(address).json()
        seen += [d["name"] for d in page["results"]]
        address = page["next"]
    assert seen == ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt"]


@pytest.mark.parametrize("query", ["status=done", "cursor=x", "cursor=cD1nYXJiYWdl", "cursor=bz0x%FF"])
def test_list_should_refuse_parameters_that_mean_nothing(people: People, query: str) -> None:
    assert code_of(client_of(people.colleague).get(f"{URL}?{query}"), 400) == "invalid"


def test_file_should_be_an_attachment_that_nothing_runs(people: People) -> None:
    stored = document(people.library, "<script>alert(1)</script>", 'pa"ge\n.html')
    answer = client_of(people.colleague).get(f"{URL}/{stored.pk}/file")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "no-cache" in answer["Cache-Control"]


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "body"),
    [
        ("bytes=2-4", 206, "bytes 2-4/10", b"234"),
        ("bytes=7-", 206, "bytes 7-9/10", b"789"),
        ("bytes=-3", 206, "bytes 7-9/10", b"789"),
        ("bytes=0-99", 200, None, b"0123456789"),
        ("bytes=10-", 416, "bytes */10", b""),
        ("bytes=-0", 416, "bytes */10", b""),
        ("bytes=5-2", 200, None, b"0123456789"),
        ("bytes=0-1,3-4", 200, None, b"0123456789"),
        ("bytes=" + "9" * 5000 + "-", 200, None, b"0123456789"),
        ("pages=1-2", 200, None, b"0123456789"),
    ],
)
def test_file_should_come_in_ranges(
    people: People, asked: str, status: int, content_range: str | None, body: bytes
) -> None:
    stored = document(people.library, "0123456789", "digits.txt")
    answer = client_of(people.colleague).get(f"{URL}/{stored.pk}/file", headers={"Range": asked})
    assert (answer.status_code, answer.headers.get("Content-Range")) == (status, content_range)
    assert answer.getvalue() == body


def test_file_should_be_404_when_it_is_gone_from_the_store(people: People) -> None:
    stored = document(people.library)
    stored.file.storage.delete(stored.file.name)
    assert code_of(client_of(people.owner).get(f"{URL}/{stored.pk}/file"), 404) == "not_found"


def test_text_should_be_what_was_read_with_its_passages_if_asked(people: People) -> None:
    client = client_of(people.colleague)
    stored = ready_document(people.library, "# Leave\n\nEverybody has 25 days.", "leave.md")
    body = client.get(f"{URL}/{stored.pk}/text").json()
    assert body == {
        "document": str(stored.pk),
        "status": "ready",
        "version": 1,
        "pages": None,
        "warnings": [],
        "text": "Leave\n\nEverybody has 25 days.",
    }
    passages = client.get(f"{URL}/{stored.pk}/text?passages=true").json()
    chunk = stored.chunks.get()
    assert passages["passages"] == [
        {
            "chunk": str(chunk.pk),
            "text": body["text"],
            "start": 0,
            "end": len(body["text"]),
            "page": None,
            "heading": "Leave",
        }
    ]
    assert code_of(client.get(f"{URL}/{stored.pk}/text?passages=maybe"), 400) == "invalid"
    assert code_of(client_of(people.outsider).get(f"{URL}/{stored.pk}/text"), 404) == "not_found"


def test_text_should_be_empty_before_a_document_is_ready(people: People) -> None:
    waiting = document(people.library)
    body = client_of(people.owner).get(f"{URL}/{waiting.pk}/text?passages=true").json()
    assert (body["status"], body["version"], body["text"], body["passages"]) == ("queued", None, "", [])


def test_what_was_lost_should_be_saved_and_shown(people: People) -> None:
    lost = '<w:object><o:OLEObject xmlns:o="urn:schemas-microsoft-com:office:office" ProgID="Excel.Sheet"/>'
    body = making.docx_text(f"Prices</w:t></w:r><w:r>{lost}</w:object></w:r><w:r><w:t>")
    with tempfile.TemporaryDirectory() as folder:
        content = making.docx_of(Path(folder) / "a.docx", body).read_bytes()
    stored = documents.create(people.library, "a.docx", ContentFile(content))
    pipeline.run(stored.pk)
    sentence = ["An embedded object of Excel is not read."]
    client = client_of(people.owner)
    assert client.get(f"{URL}/{stored.pk}").json()["warnings"] == sentence
    assert client.get(f"{URL}/{stored.pk}/text").json()["warnings"] == sentence


def test_a_document_without_characters_should_not_be_ready(people: People) -> None:
    stored = document(people.library, " * * * \n---\n", "a.txt")
    pipeline.run(stored.pk)
    body = client_of(people.owner).get(f"{URL}/{stored.pk}").json()
    assert (body["status"], body["error"]["code"], body["character_count"]) == ("failed", "no_text", 0)
