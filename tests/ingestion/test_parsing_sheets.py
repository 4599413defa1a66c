"""Spreadsheets: tables with their names, and what lies over the cells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.comments import Comment

from ingestion.chunking import chunk
from ingestion.parsing import ParsedDocument, ParseError, parse
from ingestion.parsing.filetypes import BY_EXTENSION
from tests.ingestion import making

TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"


def parsed(path: Path) -> ParsedDocument:
    return parse(path, BY_EXTENSION[path.suffix].content_type)


def lines(document: ParsedDocument) -> list[str]:
    return [line for line in document.text.split("\n") if line]


def header(document: ParsedDocument) -> str:
    table = document.tables[0]
    return document.text[table.start : table.header_end]


def saved(path: Path, rows: list[list[Any]], *merged: str) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    book.save(path)
    return path


def test_values_should_read_as_people_see_them(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append([0.25, 1234.5, 734, True, "plain"])
    for cell, code in zip(book.active[1], ["0%", "[$€-2] #,##0.00", "00000", "General", "@"], strict=True):
        cell.number_format = code
    book.save(tmp_path / "a.xlsx")
    assert lines(parsed(tmp_path / "a.xlsx")) == ["Sheet", "25% | € 1,234.50 | 00734 | TRUE | plain"]


def test_header_should_be_found_below_titles_and_repeated(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Price list of the purchasing department"], ["Valid from:", "May"], []]
    rows += [["Part", "Supplier", "Weeks", "Euros"]]
    rows += [[f"Part {n:04d}", f"Supplier {n}", n % 9, n * 1.5] for n in range(300)]
    document = parsed(saved(tmp_path / "a.xlsx", rows))
    assert header(document) == "Part | Supplier | Weeks | Euros"
    passages = [span.text for span in chunk(document) if "Part 0250" in span.text]
    assert passages and all("Part | Supplier | Weeks | Euros" in text for text in passages)
    assert "Price list" in chunk(document)[0].text


def test_two_rows_of_names_should_be_joined(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["Part", "Warehouse A", None, "Warehouse B"]]
    rows += [["number", "stock", "reserved", "stock", "reserved"], ["P-1", 1, 2, 3, 4], ["P-2", 5, 6, 7, 8]]
    names = (
        "Part number | Warehouse A stock | Warehouse A reserved | Warehouse B stock | Warehouse B reserved"
    )
    assert header(parsed(saved(tmp_path / "a.xlsx", rows, "B1:C1", "D1:E1"))) == names
    assert header(parsed(saved(tmp_path / "b.xlsx", rows))) == names


def test_merged_group_should_stand_in_each_of_its_rows(tmp_path: Path) -> None:
    rows = [["Region", "City"], ["North", "Kiel"], [None, "Husum"], ["South", "Ulm"]]
    document = parsed(saved(tmp_path / "a.xlsx", rows, "A2:A3"))
    assert lines(document)[1:] == ["Region | City", "North | Kiel", "North | Husum", "South | Ulm"]


def test_tables_parted_by_empty_rows_should_keep_their_own_names(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Item", "Euros"],
        ["Bolt", 2],
        ["Nut", 3],
        [],
        ["Staff"],
        ["Name", "Age", "Room"],
    ]
    document = parsed(saved(tmp_path / "a.xlsx", [*rows, ["Kim", 41, 7]]))
    assert [document.text[t.start : t.header_end] for t in document.tables] == [
        "Item | Euros",
        "Name | Age | Room",
    ]
    assert "\n\nStaff\n\n" in document.text


def test_rows_of_numbers_alone_should_have_no_header(tmp_path: Path) -> None:
    assert header(parsed(saved(tmp_path / "a.xlsx", [[1, 2], [3, 4], [5, 6]]))) == ""


def test_comments_and_hidden_sheets_should_be_read_and_marked(tmp_path: Path) -> None:
    book = Workbook()
    book.active["A1"] = "Offer"
    book.active["A1"].comment = Comment("Ask the supplier first", "Kim")
    secret = book.create_sheet("Margins")
    secret["A1"] = "12 points"
    secret.sheet_state = "hidden"
    book.save(tmp_path / "a.xlsx")
    document = parsed(tmp_path / "a.xlsx")
    assert "Comment on A1, Kim: Ask the supplier first" in document.text
    assert [heading.text for heading in document.headings] == ["Sheet", "Margins (hidden sheet)"]
    assert document.warnings == ("Sheet “Margins” is hidden.",)


def xlsx(path: Path, rows: str, drawing: str = "", chart: str = "") -> Path:
    """A workbook of one sheet, with what openpyxl cannot write."""
    link = '<Relationship Id="{}" Type="http://x/{}" Target="{}"/>'
    parts = {
        "_rels/.rels": f"<r>{link.format('r1', 'officeDocument', 'xl/workbook.xml')}</r>",
        "xl/workbook.xml": '<w xmlns:r="r"><sheets><sheet name="Plan" r:id="r1"/></sheets></w>',
        "xl/_rels/workbook.xml.rels": f"<r>{link.format('r1', 'worksheet', 'worksheets/s.xml')}</r>",
        "xl/worksheets/s.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>",
        "xl/worksheets/_rels/s.xml.rels": f"<r>{link.format('r1', 'drawing', '../drawings/d.xml')}</r>",
        "xl/drawings/d.xml": f"<d>{drawing}</d>",
        "xl/drawings/_rels/d.xml.rels": f"<r>{link.format('r1', 'chart', '../charts/c.xml')}</r>",
        "xl/charts/c.xml": f"<c>{chart}</c>",
    }
    return making.package(path, parts)


def test_text_boxes_and_chart_titles_should_be_read(tmp_path: Path) -> None:
    box = "<sp><txBody><p><r><t>Only for planning</t></r></p></txBody></sp>"
    chart = "<title><p><r><t>Sales by month</t></r></p></title><ser><tx><v>North</v></tx></ser>"
    document = parsed(xlsx(tmp_path / "a.xlsx", "", box, chart))
    assert lines(document) == ["Plan", "Only for planning", "Chart: Sales by month", "North"]


def test_million_styled_empty_rows_should_be_no_data(tmp_path: Path) -> None:
    row = '<row r="1"><c r="A1" t="inlineStr"><is><t>Ladder</t><rPh><t>raddaa</t></rPh></is></c></row>'
    document = parsed(
        xlsx(tmp_path / "a.xlsx", row + "".join(f'<row r="{n}" s="1"/>' for n in range(2, 1_048_577)))
    )
    assert lines(document) == ["Plan", "Ladder"]


def test_million_rows_should_be_too_complex(tmp_path: Path) -> None:
    path = xlsx(tmp_path / "a.xlsx", "".join(f"<row><c><v>{n}</v></c></row>" for n in range(600_000)))
    with pytest.raises(ParseError) as error:
        parsed(path)
    assert error.value.code == "too_complex"


def test_workbooks_with_macros_and_templates_should_be_read(tmp_path: Path) -> None:
    for ending in (".xlsm", ".xltx"):
        row = '<row><c t="str"><v>Ladder</v></c></row>'
        assert lines(parsed(xlsx(tmp_path / f"a{ending}", row))) == ["Plan", "Ladder"]


def ods(path: Path, sheets: str) -> Path:
    content = (
        f'<o:d xmlns:o="o" xmlns:table="{TABLE}" xmlns:t="t" xmlns:s="s" xmlns:dc="dc" xmlns:office="of">'
        '<s:style s:name="hid"><s:table-properties table:display="false"/></s:style>' + sheets + "</o:d>"
    )
    return making.package(path, {"mimetype": BY_EXTENSION[".ods"].content_type, "content.xml": content})


def test_ods_should_give_shown_values_notes_and_merged_groups(tmp_path: Path) -> None:
    def cell(text: str, more: str = "", note: str = "") -> str:
        return f"<table:table-cell {more}>{note}<t:p>{text}</t:p></table:table-cell>"

    note = "<office:annotation><dc:creator>Kim</dc:creator><t:p>To be checked</t:p></office:annotation>"
    covered = "<table:covered-table-cell/>"
    rows = [
        cell("Region") + cell("Share"),
        cell("North", 'table:number-rows-spanned="2"') + cell("25%", note=note),
        covered + cell("1<t:s t:c='2'/>000"),
    ]
    sheet = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    empty = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/></table:table-row>'
    row = f"<table:table-row>{cell('x')}</table:table-row>"
    hidden = f'<table:table table:name="B" table:style-name="hid">{row}</table:table>'
    path = ods(tmp_path / "a.ods", f'<table:table table:name="A">{sheet}{empty}</table:table>{hidden}')
    assert lines(parsed(path)) == [
        "A", "Region | Share", "North | 25%", "North | 1 000", "Comment on B2, Kim: To be checked",
        "B (hidden sheet)", "x",
    ]  # fmt: skip


def test_xls_should_give_shown_values_notes_charts_and_hidden_sheets() -> None:
    document = parsed(Path(__file__).parent / "files" / "prices.xls")  # made with LibreOffice
    assert lines(document) == [
        "Prices",
        "Group | Item | Share | Euros | Date",
        "North | Bolt | 25% | 1,234.50 € | 2026-07-02",
        "North | Nut | 50% | 2.00 € | 2026-07-03",
        "Comment on B2: Ask the supplier",
        "Chart: Sales by month",
        "Margins (hidden sheet)",
        "12 points",
    ]
    assert document.warnings == ("Sheet “Margins” is hidden.",)
