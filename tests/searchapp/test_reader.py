from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from library.models import DocumentText
from searchapp import reader

TEXT = "Prices\n\nIn euros, by city.\n\nCity | Price\nSeoul | 210\nGraz | 98\n\nThe end."
PARSED = DocumentText(
    text=TEXT, pages=[[1, 0, 28], [2, 28, len(TEXT)]], headings=[[1, "Prices", 0]], tables=[[28, 40, 63]]
)
WHOLE = (0, len(TEXT))


def no_matches(line: str) -> list[tuple[int, int]]:
    return []


def test_blocks_should_keep_pages_headings_tables_and_paragraphs_in_order() -> None:
    found = list(reader.blocks(PARSED, WHOLE, matches=no_matches))
    assert [(b.page, b.level, len(b.rows), len(b.pieces)) for b in found] == [
        (1, 0, 0, 0),
        (0, 2, 0, 1),
        (0, 0, 0, 1),
        (2, 0, 0, 0),
        (0, 0, 3, 0),
        (0, 0, 0, 1),
    ]


def test_blocks_should_tell_a_tables_header_from_its_rows() -> None:
    table = next(b for b in reader.blocks(PARSED, WHOLE, matches=no_matches) if b.rows)
    assert [row.header for row in table.rows] == [True, False, False]
    assert [["".join(p.text for p in cell) for cell in row.cells] for row in table.rows] == [
        ["City", "Price"],
        ["Seoul", "210"],
        ["Graz", "98"],
    ]


def test_blocks_should_mark_the_passage_across_blocks_and_scroll_to_its_start() -> None:
    passage = (TEXT.index("euros"), TEXT.index("Seoul") + 5)
    found = list(reader.blocks(PARSED, WHOLE, passage=passage, matches=no_matches))
    assert [b.first for b in found] == [False, False, True, False, False, False]
    cells = [p for b in found for row in b.rows for cell in row.cells for p in cell]
    marked = [p.text for b in found for p in b.pieces if p.passage] + [p.text for p in cells if p.passage]
    assert marked == ["euros, by city.", "City", "Price", "Seoul"]


def test_blocks_should_mark_what_matches() -> None:
    found = reader.blocks(PARSED, WHOLE, matches=lambda line: [(0, 3)] if line.startswith("The") else [])
    assert [p.text for b in found for p in b.pieces if p.match] == ["The"]


def test_parts_should_cover_the_text_and_end_with_a_line() -> None:
    text = "\n".join("x" * 99 for _ in range(3000))
    starts = reader.part_starts(text)
    assert len(starts) > 4
    assert all(text[start - 1] == "\n" for start in starts[1:])
    assert [reader.part_of(starts, start) for start in starts] == list(range(len(starts)))


def test_parts_should_cut_a_line_without_end() -> None:
    starts = reader.part_starts("x" * 200_000)
    assert max(b - a for a, b in zip(starts, starts[1:], strict=False)) <= reader.PART + reader.LONGEST_LINE


@given(st.text(alphabet="ab \n|가<", max_size=60), st.integers(0, 60), st.integers(0, 60), st.integers(0, 60))
def test_blocks_should_lose_no_character(text: str, start: int, end: int, table: int) -> None:
    parsed = DocumentText(
        text=text, pages=[[1, start, end]], headings=[[1, "", end]], tables=[[table, table, 60]]
    )
    found = reader.blocks(
        parsed, (0, len(text)), passage=(start, end), matches=lambda line: [(0, len(line) // 2)]
    )
    shown = ""
    for block in found:
        shown += "".join(p.text for p in block.pieces)
        shown += "".join(" | ".join("".join(p.text for p in c) for c in row.cells) for row in block.rows)
    assert shown.replace("\n", "") == text.replace("\n", "")
