"""OpenDocument text: nothing that the page shows is left out."""

from __future__ import annotations

from pathlib import Path

from ingestion.parsing import ParsedDocument, parse
from ingestion.parsing.filetypes import ODT
from tests.ingestion import making

NAMES = 'xmlns:o="o" xmlns:t="t" xmlns:b="b" xmlns:d="d" xmlns:dc="dc" xmlns:s="s"'


def read(path: Path, body: str, styles: str = "") -> ParsedDocument:
    parts = {
        "mimetype": ODT.content_type,
        "content.xml": f"<o:c {NAMES}><o:body><o:text>{body}</o:text></o:body></o:c>",
        "styles.xml": f"<o:s {NAMES}>{styles}</o:s>",
    }
    return parse(making.package(path, parts), ODT.content_type)


def test_headings_sections_and_tables_should_be_read(tmp_path: Path) -> None:
    rows = "".join(
        f"<b:table-row><b:table-cell><t:p>{a}</t:p></b:table-cell><b:table-cell><t:p>{b}</t:p></b:table-cell></b:table-row>"
        for a, b in (("Days", "Pay"), ("1-30", "full"))
    )
    section = '<t:section><t:p>R&amp;D<t:tab/>has<t:s t:c="2"/>25.</t:p></t:section>'
    body = f'<t:h t:outline-level="2">Leave</t:h>{section}'
    document = read(tmp_path / "a.odt", f"{body}<b:table>{rows}</b:table>")
    assert document.text == "Leave\n\nR&D\thas  25.\n\nDays | Pay\n1-30 | full"
    assert [(heading.level, heading.text) for heading in document.headings] == [(2, "Leave")]


def test_notes_comments_and_frames_should_follow_their_paragraph(tmp_path: Path) -> None:
    cited = "<t:note-citation>1</t:note-citation><t:note-body><t:p>Since 2024.</t:p></t:note-body>"
    note = f"<t:note>{cited}</t:note>"
    comment = "<o:annotation><dc:creator>Kim</dc:creator><t:p>Check it</t:p></o:annotation>"
    frame = "<d:frame><d:text-box><t:p>In a frame</t:p></d:text-box></d:frame>"
    document = read(tmp_path / "a.odt", f"<t:p>It is{note} 25{comment} days.{frame}</t:p>")
    assert document.text == "It is 25 days.\n\nNote: Since 2024.\n\nComment, Kim: Check it\n\nIn a frame"


def test_lists_should_have_their_numbers(tmp_path: Path) -> None:
    level = '<t:list-level-style-number s:num-format="{}" s:num-suffix="{}" t:display-levels="{}"/>'
    styles = f'<t:list-style s:name="L">{level.format("1", ".", 1)}{level.format("1", "", 2)}</t:list-style>'
    item = "<t:list-item><t:p>{}</t:p>{}</t:list-item>"
    inner = f"<t:list>{item.format('Aim', '')}{item.format('Scope', '')}</t:list>"
    body = f'<t:list t:style-name="L">{item.format("First", "")}{item.format("Second", inner)}</t:list>'
    document = read(tmp_path / "a.odt", body, styles)
    assert document.text == "1. First\n2. Second\n  2.1 Aim\n  2.2 Scope"


def test_deletions_should_be_left_out_and_page_headers_come_once(tmp_path: Path) -> None:
    body = "<t:tracked-changes><t:deletion><t:p>gone</t:p></t:deletion></t:tracked-changes><t:p>kept</t:p>"
    header = "<s:master-page><s:header><t:p>QM-0417</t:p></s:header></s:master-page>"
    assert read(tmp_path / "a.odt", body, header * 2).text == "kept\n\nQM-0417"
