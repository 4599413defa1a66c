"""CSV files in the dialects that programs write."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.parsing import ParsedDocument, parse


def read(tmp_path: Path, content: str | bytes) -> ParsedDocument:
    path = tmp_path / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return parse(path, "text/csv")


@pytest.mark.parametrize(
    ("content", "first", "last"),
    [
        (
            "Art;Preis;Rabatt\nBolzen;12,50;0,10\nMutter;3,75;0,20",
            "Art | Preis | Rabatt",
            "Mutter | 3,75 | 0,20",
        ),
        ("sep=;\nName;City\nKim;Seoul", "Name | City", "Kim | Seoul"),
        ("name; amount, in dollars\nblunderbuss; 1,000", "name | amount, in dollars", "blunderbuss | 1,000"),
        ("Step;Text\n1;Open, wait, then close\n2;Wait, please, now", "Step | Text", "2 | Wait, please, now"),
        ('a, b\n"x, y", "z"', "a | b", "x, y | z"),
        ('a,b\n"say \\"no, no\\"",2', "a | b", 'say "no, no" | 2'),
        ("Note\nOne, two and three\nFour\n", "Note", "Four"),
        ("품명\t수량\n볼트\t12".encode("utf-16"), "품명 | 수량", "볼트 | 12"),
        ("품명,수량\n볼트,12\n너트,30".encode("cp949"), "품명 | 수량", "너트 | 30"),
        ("品名,数量\nボルト,12\nナット,30".encode("cp932"), "品名 | 数量", "ナット | 30"),
    ],
)
def test_dialect_should_be_found(tmp_path: Path, content: str | bytes, first: str, last: str) -> None:
    lines = read(tmp_path, content).text.split("\n")
    assert (lines[0], lines[-1]) == (first, last)


def test_names_should_be_found_below_a_title(tmp_path: Path) -> None:
    document = read(tmp_path, "Price list; valid from May\n\nPart;Supplier;Weeks\nP1;Kim;3\nP2;Lee;4\n")
    table = document.tables[0]
    assert document.text[table.start : table.header_end] == "Part | Supplier | Weeks"
    assert document.text.startswith("Price list")


def test_quote_that_never_closes_should_lose_nothing(tmp_path: Path) -> None:
    document = read(tmp_path, 'size,count\n"5 inch,3\n' + "pipe,4\n" * 2000)
    lines = document.text.split("\n")
    assert lines[:3] == ["size | count", '"5 inch | 3', "pipe | 4"]
    assert len(lines) == 2002
