from __future__ import annotations

import gzip
import json
import random
from typing import Any

import pytest

from ingestion import bulk
from library.models import Document
from tests.factories import People
from tests.support.rest import client_of, code_of

URL = "/api/v1/documents/bulk"


def send(user: Any, body: bytes, library: str = "Handbook", **headers: str) -> Any:
    address = f"{URL}?library={library}"
    return client_of(user).generic(
        "POST", address, body, content_type="application/x-ndjson", headers=headers
    )


def results(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.getvalue().splitlines()]


def ndjson(*records: Any) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def test_bulk_should_queue_a_document_for_each_line(people: People) -> None:
    records = [
        {"id": "leave", "title": "Leave", "text": "25 days.", "metadata": {"by": "Kim"}},
        {"title": "Travel", "text": "출장은 미리 신청합니다."},
    ]
    first, second = results(send(people.owner, ndjson(*records)))
    leave, travel = Document.objects.get(pk=first["document"]), Document.objects.get(pk=second["document"])
    assert (first["line"], first["id"], first["status"]) == (1, "leave", "queued")
    assert (second["line"], second["status"]) == (2, "queued") and "id" not in second
    assert (leave.name, leave.title, leave.metadata, leave.created_by) == (
        "leave.txt",
        "Leave",
        {"by": "Kim"},
        people.owner,
    )
    assert travel.file.read().decode() == "출장은 미리 신청합니다."
    travel.file.close()


def test_bulk_should_fail_bad_lines_alone(people: People) -> None:
    lines = [
        b'{"id": 1, "title": "A", "text": "A."}',
        b"no json",
        b"",
        b"[1]",
        b'{"id": 5, "title": "no text"}',
        b'{"id": 6, "title": 6, "text": "six"}',
        b'{"id": 7, "title": "E", "text": ""}',
        b'{"id": 8, "title": "N", "text": "n", "metadata": {"a": "\\u0000"}}',
        b'{"a": ' * 5000,
        b'\xff{"id": 10}',
        b'{"id": 11, "title": "same", "text": "A."}',
        b'{"id": 12, "title": "last", "text": "L."}',
    ]
    found = {r["line"]: r for r in results(send(people.owner, b"\n".join(lines)))}
    codes = {n: r["error"]["code"] for n, r in found.items() if r["status"] == "error"}
    assert codes == {
        **{2: "bad_json", 4: "bad_record", 5: "bad_record", 6: "bad_record", 7: "empty"},
        **{8: "bad_details", 9: "bad_json", 10: "bad_json"},
    }
    assert (found[1]["status"], found[12]["status"]) == ("queued", "queued")
    assert (found[11]["status"], found[11]["document"]) == ("duplicate", found[1]["document"])
    assert Document.objects.count() == 2


def test_bulk_should_unpack_gzip_of_several_members(people: People) -> None:
    random.seed(1)
    texts = [random.randbytes(50_000).hex() for _ in range(3)]
    body = b"".join(
        gzip.compress(ndjson({"id": n, "title": "t", "text": text})) for n, text in enumerate(texts, 1)
    )
    lines = results(send(people.owner, body, **{"Content-Encoding": "gzip"}))
    assert [line["status"] for line in lines] == ["queued"] * 3
    assert [d.size for d in Document.objects.order_by("name")] == [100_000] * 3


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (gzip.compress(b"x" * 300 * 2**20, 9), "unsafe_archive"),
        (gzip.compress(ndjson({"id": 1, "title": "t", "text": "t"}))[:-9], "corrupt"),
        (b"no gzip", "corrupt"),
    ],
    ids=["bomb", "cut off", "not packed"],
)
def test_bulk_should_end_with_an_error_when_gzip_is_damaged(people: People, body: bytes, code: str) -> None:
    last = results(send(people.owner, body, **{"Content-Encoding": "gzip"}))[-1]
    assert (last["status"], last["error"]["code"]) == ("error", code)


def test_bulk_should_skip_a_line_that_is_too_long_for_memory(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MAX_LINE", 200_000)
    long, short = {"id": 1, "title": "long", "text": "x" * 300_000}, {"id": 2, "title": "short", "text": "s"}
    first, second = results(send(people.owner, ndjson(long, short)))
    assert (first["line"], first["error"]["code"]) == (1, "too_large")
    assert (second["line"], second["status"]) == (2, "queued")


def test_bulk_should_answer_while_it_reads(people: People) -> None:
    class Source:
        given = 0

        def read(self, size: int, /) -> bytes:
            self.given += 1
            return ndjson({"id": self.given, "title": "t", "text": f"text {self.given}"})

    source = Source()
    lines = bulk.ingest_lines(people.library, source, "identity", user=people.owner)
    next(lines)
    assert source.given == 1


def test_bulk_should_be_for_editors_of_a_library_that_is_named(people: People) -> None:
    body = ndjson({"id": 1, "title": "t", "text": "t"})
    assert code_of(send(people.colleague, body), 403) == "forbidden"
    assert code_of(send(people.outsider, body), 404) == "not_found"
    assert code_of(send(people.owner, body, library=""), 400) == "invalid"
    assert code_of(send(people.owner, body, **{"Content-Encoding": "br"}), 415) == "unsupported_encoding"
    assert not Document.objects.exists()


def test_bulk_should_answer_nothing_to_nothing(people: People) -> None:
    assert results(send(people.owner, b"")) == []
