"""Sections that programs write into a Markdown file."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.sections import table, write_section


def test_section_should_be_added_at_the_end_then_replaced_in_place(tmp_path: Path) -> None:
    file = tmp_path / "quality.md"
    file.write_text("# Quality\n\ntyped\n")
    write_section(file, "one", "first\n")
    write_section(file, "two", "second")
    write_section(file, "one", r"renewed \1")
    one, two = "<!-- one -->\nrenewed \\1\n<!-- /one -->", "<!-- two -->\nsecond\n<!-- /two -->"
    assert file.read_text() == f"# Quality\n\ntyped\n\n{one}\n\n{two}\n"


def test_section_should_make_an_absent_file(tmp_path: Path) -> None:
    write_section(tmp_path / "new.md", "one", "text")
    assert (tmp_path / "new.md").read_text() == "<!-- one -->\ntext\n<!-- /one -->\n"


def test_section_without_an_end_should_be_refused(tmp_path: Path) -> None:
    file = tmp_path / "quality.md"
    file.write_text("<!-- one -->\nhalf")
    with pytest.raises(ValueError, match="not followed"):
        write_section(file, "one", "text")
    assert file.read_text() == "<!-- one -->\nhalf"


def test_table_should_be_markdown() -> None:
    assert table(["set", "nDCG"], [["a", "0.5"]]) == "| set | nDCG |\n| --- | --- |\n| a | 0.5 |\n"
