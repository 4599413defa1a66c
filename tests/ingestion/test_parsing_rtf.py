"""RTF: code pages, tables, headings, notes, and the HTML that Outlook wraps."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.parsing import ParsedDocument, ParseError, parse
from ingestion.parsing.filetypes import RTF


def read(tmp_path: Path, content: bytes) -> ParsedDocument:
    path = tmp_path / "a.rtf"
    path.write_bytes(content)
    return parse(path, RTF.content_type)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (rb"{\rtf1\ansi\ansicpg1252 \'dcber\tab 5\line two}", "Über\t5\ntwo"),
        (rb"{\rtf1\ansicpg949 \'c8\'de\'b0\'a1 \'b1\'d4\'c1\'a4}", "휴가 규정"),
        (rb"{\rtf1{\fonttbl{\f0 A;}{\f1\fcharset204 B;}}\f0 a{\f1 \'cf}}", "aП"),
        (rb"{\rtf1\uc1\u50900?\u44032?{\uc0\u8364}}", "월가€"),
        (rb"{\rtf1 a\u-10179?\u-8704?}", "a😀"),
        (rb"{\rtf1 kept{\v hidden}{\deleted gone}{\*\unknown no}{\pict 0102}}", "kept"),
        (rb"{\rtf1 {\field{\*\fldinst HYPERLINK x}{\fldrslt the page}}}", "the page"),
        (rb"{\rtf1 {\upr{ansi?}{\*\ud{unicode}}}}", "unicode"),
        (rb"{\rtf1 XK\_4471\~m{\pict\bin3 }}}}", "XK-4471 m"),
        (rb"{\rtf1 cut off {\b in a group", "cut off in a group"),
    ],
)
def test_text_should_be_what_word_shows(tmp_path: Path, content: bytes, text: str) -> None:
    assert read(tmp_path, content).text == text


def test_headings_tables_and_notes_should_stand_in_their_places(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        rb"{\rtf1{\stylesheet{\s0 Normal;}{\s1 heading 1;}}{\info{\title Rules}{\revtim\yr2024\mo5\dy2}}"
        rb"{\header Doc 17}\pard\s1 Leave\par\pard It is 25 days{\footnote From 2024.}.\par"
        rb"\trowd\intbl Days\cell Pay\cell\row\trowd\intbl 1-30\cell full\cell\row\pard End\par}",
    )
    assert document.text == (
        "Leave\n\nIt is 25 days.\n\nNote: From 2024.\n\nDays | Pay\n1-30 | full\n\nEnd\n\nDoc 17"
    )
    assert [(heading.level, heading.text) for heading in document.headings] == [(1, "Leave")]
    assert (document.title, str(document.date)) == ("Rules", "2024-05-02")
    assert len(document.tables) == 1


def test_html_that_outlook_wrapped_should_be_unwrapped(tmp_path: Path) -> None:
    content = (
        rb"{\rtf1\ansi\ansicpg1252\fromhtml1 {\*\htmltag64 <p>}\htmlrtf {\f0 \htmlrtf0 R&D < 5 \'80"
        rb"\htmlrtf\par}\htmlrtf0 {\*\htmltag72 </p>}{\*\htmltag64 <b>}bold{\*\htmltag72 </b>}}"
    )
    assert read(tmp_path, content).text.replace("\n\n", " ") == "R&D < 5 € bold"


def test_endless_groups_should_be_too_complex_and_many_should_be_read(tmp_path: Path) -> None:
    with pytest.raises(ParseError) as error:
        read(tmp_path, rb"{\rtf1 " + b"{" * 1_000_000)
    assert error.value.code == "too_complex"
    assert len(read(tmp_path, rb"{\rtf1 " + rb"{\b a}" * 100_000 + b"}").text) == 100_000
