"""What each format gives: text as a reader would see it, with pages, headings and tables in their places."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from docx import Document as Word
from openpyxl import Workbook
from pptx import Presentation
from pptx.util import Inches

from ingestion.parsing import ParsedDocument, parse
from ingestion.parsing.filetypes import BY_EXTENSION
from tests.ingestion import making


def parsed(path: Path) -> ParsedDocument:
    return parse(path, BY_EXTENSION[path.suffix].content_type)


def lines(document: ParsedDocument) -> list[str]:
    return [line for line in document.text.split("\n") if line]


def headings(document: ParsedDocument) -> list[tuple[int, str]]:
    for heading in document.headings:
        assert document.text.startswith(heading.text, heading.start)
    return [(heading.level, heading.text) for heading in document.headings if heading.text]


def tables(document: ParsedDocument) -> list[str]:
    return [document.text[table.start : table.end] for table in document.tables]


def test_pdf_should_give_its_pages_with_lines_joined(tmp_path: Path) -> None:
    first = [
        "The committee agreed that the annual leave of every member of staff",
        "should be raised to 25 days.",
    ]
    path = making.pdf(
        tmp_path / "a.pdf", [first, ["Travel costs are paid within two weeks."]], title="Annual rules"
    )
    document = parsed(path)
    assert document.title == "Annual rules"
    assert document.language == "en"
    assert [(page.number, document.text[page.start : page.end].strip()) for page in document.pages] == [
        (1, " ".join(first)),
        (2, "Travel costs are paid within two weeks."),
    ]


def test_korean_pdf_should_give_hangul(tmp_path: Path) -> None:
    path = making.pdf(tmp_path / "a.pdf", [["연차 휴가는 15일이다."]], font="HYSMyeongJo-Medium")
    document = parsed(path)
    assert document.text == "연차 휴가는 15일이다."
    assert document.language == "ko"


def test_docx_should_give_headings_and_tables(tmp_path: Path) -> None:
    word = Word()
    word.core_properties.title = "Handbook 2024"
    word.core_properties.modified = datetime.datetime(2024, 5, 2)
    word.add_heading("Leave", 1)
    word.add_paragraph("Every employee has 25 days of leave.")
    word.add_heading("Sick leave", 2)
    table = word.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ["Days", "Paid | unpaid", "1-30", "full pay"], strict=True):
        cell.text = text
    word.save(str(tmp_path / "a.docx"))
    document = parsed(tmp_path / "a.docx")
    assert (document.title, document.date) == ("Handbook 2024", datetime.date(2024, 5, 2))
    assert headings(document) == [(1, "Leave"), (2, "Sick leave")]
    assert tables(document) == ["Days | Paid | unpaid\n1-30 | full pay"]


def test_pptx_should_give_slides_tables_and_notes(tmp_path: Path) -> None:
    show = Presentation()
    first = show.slides.add_slide(show.slide_layouts[5])
    first.shapes.title.text = "Budget"
    table = first.shapes.add_table(2, 2, Inches(1), Inches(2), Inches(4), Inches(1)).table
    for cell, text in zip(table.iter_cells(), ["Year", "Euros", "2024", "1200"], strict=True):
        cell.text = text
    first.notes_slide.notes_text_frame.text = "Say it slowly"
    second = show.slides.add_slide(show.slide_layouts[6])
    second.shapes.add_textbox(0, 0, 100, 100).text_frame.text = "No title here"
    show.save(str(tmp_path / "a.pptx"))
    document = parsed(tmp_path / "a.pptx")
    assert [document.text[p.start : p.end].strip() for p in document.pages] == [
        "Budget\n\nYear | Euros\n2024 | 1200\n\nSay it slowly",
        "No title here",
    ]
    assert headings(document) == [(1, "Budget")]
    assert document.headings[-1] == (1, "", document.pages[1].start)  # the title ends with its slide


def test_xlsx_should_give_sheets_as_pages_with_their_own_names(tmp_path: Path) -> None:
    book = Workbook()
    book.active.title = "Prices"
    for row in (["Item", "Euros"], ["Bolt", 12.5], [None, None], ["Nut_M4", "=1+1"]):
        book.active.append(row)
    book.create_sheet("Empty")
    book.create_sheet("Stock").append(["Bolt", 7])
    book.save(tmp_path / "a.xlsx")
    document = parsed(tmp_path / "a.xlsx")
    assert headings(document) == [(2, "Prices"), (2, "Stock")]
    assert tables(document) == ["Item | Euros\nBolt | 12.5\nNut_M4", "Bolt | 7"]
    assert [page.number for page in document.pages] == [1, 3]
    assert document.title == ""


def test_html_should_give_text_without_scripts_or_head(tmp_path: Path) -> None:
    page = """<html><head><title>Rules &amp; aims</title><meta name="author" content="Nobody">
        <meta charset="euc-kr"><script>steal()</script></head><body><h1>휴가 규정</h1>
        <p onclick="x()">연차는 <a href="javascript:x">15일</a>이다.</p><style>p{}</style>
        <table><tr><th>Day</th><th>Pay</th></tr><tr><td>1</td><td>full</td></tr></table></body></html>"""
    (tmp_path / "a.html").write_bytes(page.encode("cp949"))
    document = parsed(tmp_path / "a.html")
    assert lines(document) == ["휴가 규정", "연차는 15일이다.", "Day | Pay", "1 | full"]
    assert document.title == "Rules & aims"


def test_html_should_join_the_lines_of_its_source(tmp_path: Path) -> None:
    page = """<h1>The
        rules</h1><p>Leave is 25 days
   a year. <b>Ask
        early</b>.<br>Or late.</p><pre>a = 1
  b = 2</pre><div>The
        end</div><ul><li>one
        more</li><li>two</li></ul><table><tr><th>Day
        of</th><th>Pay</th></tr><tr><td>1</td><td>full</td></tr></table>"""
    (tmp_path / "a.html").write_text(page)
    document = parsed(tmp_path / "a.html")
    prose = ["The rules", "Leave is 25 days a year. Ask early.", "Or late."]
    code_and_list = ["a = 1", "  b = 2", "The end", "- one more", "- two"]
    assert lines(document) == [*prose, *code_and_list, "Day of | Pay", "1 | full"]


def test_deep_html_should_keep_its_text(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text("<div>" * 200 + "deep down" + "</div>" * 200)
    assert parsed(tmp_path / "a.html").text == "deep down"


def test_markdown_should_lose_its_marks_and_keep_its_structure(tmp_path: Path) -> None:
    text = """---\ntitle: The *real* title\ndate: 2023-04-05\n---
# One **bold** `code`\n\nSee [the page](http://x.org/a_(b)), ![a picture](p.png), snake_case_name, 2 * 3 * 4.
\nTwo\n---\n\n```python\n# no heading\nx = "**raw**"\n```\n\n| a | b |\n|---|:-:|\n| 1 \\| 2 | *3* |\n"""
    (tmp_path / "a.md").write_text(text)
    document = parsed(tmp_path / "a.md")
    assert lines(document) == [
        "One bold code",
        "See the page, a picture, snake_case_name, 2 * 3 * 4.",
        "Two",
        "# no heading",
        'x = "**raw**"',
        "a | b",
        "1 | 2 | 3",
    ]
    assert headings(document) == [(1, "One bold code"), (2, "Two")]
    assert document.date == datetime.date(2023, 4, 5)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_should_find_its_delimiter(tmp_path: Path, delimiter: str) -> None:
    rows = [["name", "note"], ["Kim", f'"likes {delimiter} and\nlines"'], ["Lee", "none"]]
    (tmp_path / "a.csv").write_text("\n".join(delimiter.join(row) for row in rows))
    document = parsed(tmp_path / "a.csv")
    note = " ".join(f"likes {delimiter} and lines".split())
    assert lines(document) == ["name | note", f"Kim | {note}", "Lee | none"]
    assert document.text[: document.tables[0].header_end] == "name | note"


def test_json_should_give_values_with_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(
        '[{"who": {"name": "Kim"}, "tags": ["a", "b"]}, {"who": {"name": "Lee"}}]'
    )
    assert parsed(tmp_path / "a.json").text == "who.name: Kim\ntags: a, b\n\nwho.name: Lee"


def test_json_lines_and_broken_json_should_give_text(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"n": "one"}\n{"n": "two"}\n')
    assert parsed(tmp_path / "a.jsonl").text == "n: one\n\nn: two"
    (tmp_path / "b.json").write_text('[{"n": "one"},')
    assert parsed(tmp_path / "b.json").text == '[{"n": "one"},'


def test_xml_should_give_text_in_order_without_names(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(
        "<doc><title>Rules</title><p>Leave is <b>25</b> days &copy; us.</p><script>no()</script></doc>"
    )
    document = parsed(tmp_path / "a.xml")
    assert lines(document) == ["Rules", "Leave is 25 days © us."]
    assert document.title == "Rules"


def test_eml_should_give_headers_and_the_plain_body(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(
        b"Subject: =?utf-8?b?7Zy06rCAIOyViOuCtA==?=\r\nFrom: Kim <kim@example.org>\r\n"
        b"Date: Fri, 16 Dec 2022 17:04:16 -0500\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain; charset=euc-kr\r\n\r\n" + "연차는 15일 <https://track.me/xyz>".encode("cp949")
        + b"\r\n--b\r\nContent-Type: application/pdf\r\n"
        b'Content-Disposition: attachment; filename="form.pdf"\r\n\r\nx\r\n--b--\r\n'
    )  # fmt: skip
    document = parsed(tmp_path / "a.eml")
    assert (document.title, document.date) == ("휴가 안내", datetime.date(2022, 12, 16))
    assert "연차는 15일" in document.text
    assert "Attachments: form.pdf" in document.text
    assert "track.me" not in document.text


def test_rtf_and_rst_should_give_text(tmp_path: Path) -> None:
    (tmp_path / "a.rtf").write_text(r"{\rtf1\ansi Leave is {\b 25} days.\par Next line\par}")
    assert lines(parsed(tmp_path / "a.rtf")) == ["Leave is 25 days.", "Next line"]
    (tmp_path / "a.rst").write_text("Title\n=====\n\nSome *text* here.\n")
    document = parsed(tmp_path / "a.rst")
    assert lines(document) == ["Title", "Some text here."]
    assert headings(document) == [(1, "Title")]


def test_odp_should_give_slides_with_titles(tmp_path: Path) -> None:
    slide = (
        '<d:page><d:frame p:class="title"><d:text-box><t:p>{title}</t:p></d:text-box></d:frame>'
        "<d:frame><d:text-box><t:p>{body}<t:s/>end</t:p></d:text-box></d:frame></d:page>"
    )
    content = (
        '<o:c xmlns:o="o" xmlns:d="d" xmlns:t="t" '
        'xmlns:p="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0">'
        + slide.format(title="Plan", body="First")
        + slide.format(title="", body="Second")
        + "</o:c>"
    )
    path = making.package(
        tmp_path / "a.odp",
        {"mimetype": BY_EXTENSION[".odp"].content_type, "content.xml": content},
    )
    document = parsed(path)
    assert lines(document) == ["Plan", "First end", "Second end"]
    assert [page.number for page in document.pages] == [1, 2]
    assert headings(document) == [(1, "Plan")]
