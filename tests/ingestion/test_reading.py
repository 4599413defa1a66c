"""`manage.py read` prints what Quarry reads of a file, and stores nothing."""

from __future__ import annotations

import json
import zipfile
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from ingestion.chunking import chunk
from ingestion.parsing.builder import MOST_WARNINGS, TextBuilder
from ingestion.parsing.types import ParsedDocument, ParseLimits

FIELDS = ["name", "type", "title", "language", "date", "pages", "text", "warnings", "passages", "error"]


def read(path: Path, *, failed: bool = False) -> Any:
    out = StringIO()
    if failed:
        with pytest.raises(SystemExit) as end:
            call_command("read", path, "--json", stdout=out)
        assert end.value.code == 1
    else:
        call_command("read", path, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_file_should_give_its_text_facts_and_passages(tmp_path: Path) -> None:
    path = tmp_path / "leave_rules.md"
    path.write_text("# Leave\n\nEvery employee has thirty days of leave in the year of the calendar.\n")
    found = read(path)
    assert list(found) == FIELDS
    assert (found["name"], found["type"], found["title"]) == ("leave_rules.md", "md", "Leave")
    assert (found["language"], found["pages"], found["error"], found["warnings"]) == ("en", None, None, [])
    assert [p["heading"] for p in found["passages"]] == ["Leave"]
    assert found["passages"][0]["text"] == found["text"]


def test_a_file_without_a_title_should_have_its_name_as_words(tmp_path: Path) -> None:
    path = tmp_path / "annual_report-2024.txt"
    path.write_text("All is well.")
    assert read(path)["title"] == "annual report 2024"


def test_a_refused_file_should_name_its_error(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"no pdf")
    found = read(path, failed=True)
    assert list(found) == FIELDS
    assert found["error"]["code"] == "type_mismatch" and found["error"]["message"].endswith(".")
    path = tmp_path / "a.txt"
    path.write_bytes(b"\n\n")
    assert read(path, failed=True)["error"]["code"] == "no_text"


def test_an_archive_should_give_its_members_each_with_its_error(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("2024/a.txt", "The first file.")
        archive.writestr("run.exe", "MZ")
    found = read(path, failed=True)
    assert [(m["name"], m["text"], (m["error"] or {}).get("code")) for m in found["members"]] == [
        ("2024/a.txt", "The first file.", None),
        ("run.exe", "", "type_not_allowed"),
    ]
    path.write_bytes(path.read_bytes()[:50])
    assert read(path, failed=True)["error"]["code"] == "corrupt"


def test_people_should_see_text_and_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("The pump runs.")
    call_command("read", path)
    path.write_text(" ")
    with pytest.raises(SystemExit):
        call_command("read", path)
    shown = capsys.readouterr().out
    assert "a.txt: a  (txt, 1 passages)\n\nThe pump runs." in shown
    assert "a.txt: no_text: " in shown


def test_a_missing_file_should_be_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="There is no file"):
        call_command("read", tmp_path / "none.pdf")


def test_warnings_should_come_once_each_and_survive_the_way_from_the_child() -> None:
    builder = TextBuilder(ParseLimits())
    builder.paragraph("text")
    for number in [1, 1, *range(1, 100)]:
        builder.warn(f"Sheet {number} is\nhidden.")
    document = ParsedDocument.from_json(builder.build().to_json())
    assert document.warnings[:2] == ("Sheet 1 is hidden.", "Sheet 2 is hidden.")
    assert len(document.warnings) == MOST_WARNINGS
    assert chunk(document)


def test_names_titles_and_text_should_be_composed(tmp_path: Path) -> None:
    path = tmp_path / "u\u0308ber.md"
    path.write_text("---\ntitle: U\u0308bersicht\n---\nFu\u0308r alle.")
    found = read(path)
    assert (found["name"], found["title"], found["text"]) == ("über.md", "Übersicht", "Für alle.")
