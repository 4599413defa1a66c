from __future__ import annotations

import pytest

from library.models import Chunk, Document, DocumentText
from searchapp.readable import Kind, pieces


def chunk_of(text: str, tables: list[list[int]] | None = None, start: int = 0, end: int = 0) -> Chunk:
    document = Document(name="a.txt")
    document.parsed = DocumentText(text=text, tables=tables or [])
    return Chunk(document=document, text=text, start=start, end=end or start + len(text))


def texts(text: str) -> list[str]:
    return [piece.text for piece in pieces(chunk_of(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The pump costs 3.5 kEUR. Dr. Kim sells it.", ["The pump costs 3.5 kEUR.", "Dr. Kim sells it."]),
        ("Use tools, e.g. a hammer. Then stop!", ["Use tools, e.g. a hammer.", "Then stop!"]),
        ("휴가는 25일입니다. 3월에 소멸합니다.", ["휴가는 25일입니다.", "3월에 소멸합니다."]),
        ("休假是25天。三月到期。", ["休假是25天。", "三月到期。"]),
        ("A line that was\nwrapped goes on.", ["A line that was wrapped goes on."]),
        ("• Apples\n• Pears", ["Apples", "Pears"]),
        ("1. Open the lid.\n2. Close it.", ["Open the lid.", "Close it."]),
        ("The end.\n\nPage 3 of 12\n\n– 4 –", ["The end."]),
        (">> When does it\n>> arrive?\n> Soon.", ["When does it arrive?", "Soon."]),
        ("Sales · Asia | 2026", ["Sales, Asia, 2026"]),
        (" \n\n | ", []),
    ],
)  # fmt: skip
def test_prose_should_become_whole_clean_sentences(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_a_line_above_a_text_should_be_its_heading() -> None:
    found = pieces(chunk_of("Paid leave\n\nEverybody has 25 days.\n\n• The end\n• Or not"))
    assert [piece.kind for piece in found] == [Kind.HEADING, Kind.SENTENCE, Kind.ITEM, Kind.ITEM]


TABLE = "Part | Price | Note\nPump | 40 EUR\nValve | 12 EUR | bronze"


def test_rows_should_come_with_their_header() -> None:
    text = f"Prices are net.\n\n{TABLE}"
    start = text.index("Part")
    headed = chunk_of(text, [[start, start + 19, len(text)]])
    assert [piece.text for piece in pieces(headed)] == [
        "Prices are net.",
        "Part: Pump; Price: 40 EUR",
        "Part: Valve; Price: 12 EUR; Note: bronze",
    ]


def test_rows_of_a_table_without_a_header_should_stand_alone() -> None:
    assert [piece.text for piece in pieces(chunk_of(TABLE, [[0, 0, len(TABLE)]]))] == [
        "Part; Price; Note",
        "Pump; 40 EUR",
        "Valve; 12 EUR; bronze",
    ]


def test_a_table_that_goes_on_should_keep_the_names_of_its_columns() -> None:
    chunk = chunk_of(TABLE, [[0, 19, 500]], start=300, end=300 + len(TABLE) - 20)
    assert pieces(chunk)[0].text == "Part: Pump; Price: 40 EUR"


def test_a_part_of_a_row_should_not_get_the_names_of_other_columns() -> None:
    text = "Part | Price | Note\nbronze | blue"
    chunk = chunk_of(text, [[0, 19, 500]], start=300, end=300 + 13)
    assert [piece.text for piece in pieces(chunk)] == ["bronze; blue"]
