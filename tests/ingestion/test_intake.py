"""Files, folders and lines of JSON from the command line, each accepted or refused for itself."""

from __future__ import annotations

import json
from pathlib import Path

from ingestion.intake import ingest_paths
from tests.factories import People


def test_a_corpus_should_give_a_document_a_line_and_name_the_lines_that_are_wrong(
    people: People, tmp_path: Path
) -> None:
    good = json.dumps({"_id": "d1", "title": "Leave", "text": "25 days a year."}).encode()
    deep = b"[" * 100_000
    corpus = tmp_path / "corpus.jsonl"
    corpus.write_bytes(b"\n".join([good, b"", b'{"text": 1}', b'{"text": "\xff"}', deep]))
    outcomes = list(ingest_paths(people.library, [corpus]))
    assert [(o.name, o.code) for o in outcomes] == [
        ("d1.txt", ""),
        ("corpus.jsonl, line 3", "bad_record"),
        ("corpus.jsonl, line 4", "bad_record"),
        ("corpus.jsonl, line 5", "bad_record"),
    ]
    assert outcomes[0].document is not None and outcomes[0].document.title == "Leave"


def test_files_of_a_folder_should_be_named_by_their_path_and_hidden_ones_left_out(
    people: People, tmp_path: Path
) -> None:
    for name in ("2023/leave.txt", "2024/leave.txt", ".git/config.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(f"The rules of {name}.")
    outcomes = list(ingest_paths(people.library, [tmp_path]))
    assert [(o.name, o.accepted) for o in outcomes] == [("2023/leave.txt", True), ("2024/leave.txt", True)]
