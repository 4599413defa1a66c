"""Word files: what Word shows is in the text, once, in its order."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingestion.parsing import ParsedDocument, ParseError, parse
from ingestion.parsing.filetypes import DOCM, DOCX
from tests.ingestion import making
from tests.ingestion.word import item, levels, numbering, p, root, run, tbl, tr, word

TITLE = p("Title", '<w:outlineLvl w:val="0"/>')


def parsed(path: Path) -> ParsedDocument:
    return parse(path, DOCX.content_type)


def text(folder: Path, body: str, parts: dict[str, tuple[str, str]] | None = None) -> str:
    return parsed(word(folder / "a.docx", body, parts)).text


def test_characters_should_be_kept(tmp_path: Path) -> None:
    body = p("R&D, AT&T, margin < 5 %") + p(run("XK") + "<w:r><w:noBreakHyphen/></w:r>" + run("4471"))
    body += p(run("Total") + "<w:r><w:tab/><w:t>4,870</w:t><w:br/><w:t>next</w:t></w:r>")
    body += p(run("over") + "<w:r><w:softHyphen/></w:r>" + run("time"))
    assert text(tmp_path, body) == "R&D, AT&T, margin < 5 %\n\nXK-4471\n\nTotal\t4,870\nnext\n\novertime"


def test_symbols_should_be_characters(tmp_path: Path) -> None:
    body = p(run("5 ") + '<w:r><w:sym w:font="Symbol" w:char="F0A3"/></w:r>' + run(" x"))
    body += p('<w:r><w:sym w:font="Wingdings" w:char="F0FC"/></w:r>' + run(" done"))
    body += p(run("\uf061-test", '<w:rFonts w:ascii="Symbol"/>') + '<w:r><w:sym w:char="zz"/></w:r>')
    assert text(tmp_path, body) == "5 ≤ x\n\n✓ done\n\nα-test"


def test_insertions_should_stay_and_deletions_go(tmp_path: Path) -> None:
    body = p(
        run("The fee is ") + f"<w:del>{run('7,100')}</w:del><w:ins>{run('9,400')}</w:ins>" + run(" euros")
    )
    body += p(run("first half, "), "<w:rPr><w:del/></w:rPr>") + p("second half")
    body += p(f"<w:moveFrom>{run('Moved')}</w:moveFrom>") + p(f"<w:moveTo>{run('Moved')}</w:moveTo>")
    body += f"<w:tbl>{tr(['kept', 'row'])}{tr(['gone', 'row'], '<w:del/>')}</w:tbl>"
    assert text(tmp_path, body) == "The fee is 9,400 euros\n\nfirst half, second half\n\nMoved\n\nkept | row"


def test_a_large_first_letter_should_belong_to_its_word(tmp_path: Path) -> None:
    assert text(tmp_path, p("T", '<w:framePr w:dropCap="drop"/>') + p("he pump")) == "The pump"


def test_fields_should_give_their_results(tmp_path: Path) -> None:
    def mark(kind: str, more: str = "") -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}">{more}</w:fldChar></w:r>'

    code = "<w:r><w:instrText>IF </w:instrText></w:r>"
    inner = mark("begin") + code + mark("separate") + run("not shown") + mark("end")
    body = p(run("see ") + mark("begin") + code + inner + mark("separate") + run("page 7") + mark("end"))
    body += p(f'<w:fldSimple w:instr="DATE">{run("2 May")}</w:fldSimple>' + mark("begin") + code)
    body += p("A field without an end hides nothing.")
    box = "<w:ffData><w:checkBox><w:default w:val='0'/><w:checked/></w:checkBox></w:ffData>"
    body += p(mark("begin", box) + mark("end") + run(" insured"))
    choices = '<w:ffData><w:ddList><w:result w:val="1"/><w:listEntry w:val="no"/><w:listEntry w:val="yes"/>'
    body += p(mark("begin", choices + "</w:ddList></w:ffData>") + mark("end"))
    assert text(tmp_path, body).split("\n\n") == [
        "see page 7",
        "2 May",
        "A field without an end hides nothing.",
        "☒ insured",
        "yes",
    ]


def test_containers_should_give_their_content_once(tmp_path: Path) -> None:
    box = f"<w:txbxContent>{p('In the box')}{tbl(['a', 'b'])}</w:txbxContent>"
    shape = (
        f'<mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wps:txbx>{box}</wps:txbx></w:drawing>'
        f"</mc:Choice><mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback>"
        "</mc:AlternateContent>"
    )
    control = f"<w:sdt><w:sdtPr/><w:sdtContent>{p('In a control')}</w:sdtContent></w:sdt>"
    link = f"<w:hyperlink>{run('a link')}</w:hyperlink><w:smartTag>{run(' and a tag')}</w:smartTag>"
    ruby = f"<w:r><w:ruby><w:rt>{run('かんじ')}</w:rt><w:rubyBase>{run('漢字')}</w:rubyBase></w:ruby></w:r>"
    old = f"<w:r><w:pict><v:textbox><w:txbxContent>{p('old box')}</w:txbxContent></v:textbox></w:pict></w:r>"
    body = p(run("Anchor") + f"<w:r>{shape}</w:r>") + control + p(link) + p(ruby) + p(run("x") + old)
    assert text(tmp_path, body).split("\n\n") == [
        *("Anchor", "In the box", "a | b", "In a control", "a link and a tag", "漢字", "x", "old box"),
    ]


def test_tables_should_show_merged_cells_where_they_stand(tmp_path: Path) -> None:
    wide, start, on = (
        f"<w:tcPr>{x}</w:tcPr>"
        for x in ('<w:gridSpan w:val="2"/>', '<w:vMerge w:val="restart"/>', "<w:vMerge/>")
    )
    nested = "<w:tcPr/>" + p("Data") + tbl(["Bolt", "35 Nm"], ["Nut", "20 Nm"]) + p("after")
    body = tbl(
        ["Group", "Part", "Count"],
        [f"{start}{p('Steel')}", "bolt", "4"],
        [f"{on}{p('')}", "nut", nested],
        [f"{wide}{p('Sum')}", "4"],
    )
    rows = [
        "Group | Part | Count",
        "Steel | bolt | 4",
        "Steel | nut | Data Bolt 35 Nm; Nut 20 Nm after",
        "Sum |  | 4",
    ]
    assert text(tmp_path, body) == "\n".join(rows)


def test_two_header_rows_should_be_one(tmp_path: Path) -> None:
    def span(content: str) -> str:
        return f'<w:tcPr><w:gridSpan w:val="2"/></w:tcPr>{p(content)}'

    head = tr(["", span("Warehouse A")], "<w:tblHeader/>") + tr(["Part", "stock", "price"], "<w:tblHeader/>")
    body = f"<w:tbl>{head}{tr(['bolt', '4', '0.10'])}</w:tbl>"
    document = parsed(word(tmp_path / "a.docx", body))
    assert document.text == "Part | Warehouse A stock | Warehouse A price\nbolt | 4 | 0.10"
    assert document.text[: document.tables[0].header_end].endswith("price")


def test_a_table_of_one_column_should_be_text(tmp_path: Path) -> None:
    body = tbl([f"<w:tcPr/>{TITLE}{p('One.')}{p('Two.')}"])
    document = parsed(word(tmp_path / "a.docx", body))
    assert document.text == "Title\n\nOne.\n\nTwo."
    assert document.headings[0][:2] == (1, "Title") and not document.tables


def test_notes_and_comments_should_stand_where_they_are_cited(tmp_path: Path) -> None:
    def notes(kind: str, *entries: str) -> str:
        return root(f"{kind}s", "".join(entries))

    def note(kind: str, number: int, content: str, more: str = "") -> str:
        return f'<w:{kind} w:id="{number}" {more}>{p(content)}</w:{kind}>'

    parts = {
        "foot.xml": (
            "footnotes",
            notes(
                "footnote",
                note("footnote", 0, "---", 'w:type="separator"'),
                note("footnote", 1, "§ 4 applies"),
            ),
        ),
        "end.xml": ("endnotes", notes("endnote", note("endnote", 1, "See annex K"))),
        "com.xml": (
            "comments",
            notes(
                "comment",
                note("comment", 0, "Ask legal", 'w:author="Anna Kim"'),
                note("comment", 5, "Cited by nothing"),
            ),
        ),
    }
    body = p(
        run("The fee")
        + '<w:r><w:footnoteReference w:id="1"/></w:r>'
        + run(" is due")
        + '<w:r><w:endnoteReference w:id="1"/></w:r><w:r><w:commentReference w:id="0"/></w:r>'
        + run(".")
    ) + p("Next.")
    assert text(tmp_path, body, parts).split("\n\n") == [
        "The fee is due.\n[1] § 4 applies\n[i] See annex K\nComment by Anna Kim: Ask legal",
        "Next.",
        "Comment: Cited by nothing",
    ]


def test_headers_and_footers_should_come_once_without_page_numbers(tmp_path: Path) -> None:
    parts = {
        "h1.xml": ("header", root("hdr", p("Quality Manual") + tbl(["QM-DOC-0417", "Rev 3"]))),
        "h2.xml": ("header", root("hdr", p("Quality Manual"))),
        "f1.xml": ("footer", root("ftr", p("- 7 -") + p("Confidential"))),
    }
    assert text(tmp_path, p("Body."), parts).split("\n\n") == [
        "Quality Manual\nQM-DOC-0417 Rev 3",
        "Body.",
        "Confidential",
    ]


def test_numbers_of_lists_should_be_counted_as_word_does(tmp_path: Path) -> None:
    legal = levels("upperRoman %1.", "decimal %1.%2", "lowerLetter (%3)", more="")
    parts = {"numbering.xml": ("numbering", numbering(legal))}
    body = item("Scope", 0) + item("Sites", 1) + item("Fees", 0) + item("Due", 1) + p("Between.")
    body += item("monthly", 2) + item("yearly", 2) + item("Late", 1) + item("once", 2)
    assert text(tmp_path, body, parts).split("\n\n") == [
        *("I. Scope", "I.1 Sites", "II. Fees", "II.1 Due", "Between.", "(a) monthly", "(b) yearly"),
        *("II.2 Late", "(a) once"),
    ]


def test_a_list_may_start_anew_and_others_count_on(tmp_path: Path) -> None:
    anew = (
        '<w:num w:numId="2"><w:abstractNumId w:val="0"/><w:lvlOverride w:ilvl="0">'
        '<w:startOverride w:val="5"/></w:lvlOverride></w:num>'
        '<w:num w:numId="3"><w:abstractNumId w:val="0"/></w:num>'
    )
    parts = {"numbering.xml": ("numbering", numbering(levels("decimal Article %1"), nums=anew))}
    body = item("a", 0) + item("b", 0, 2) + item("c", 0, 2) + item("d", 0, 3) + item("none", 0, 0)
    assert text(tmp_path, body, parts).split("\n\n") == [
        *("Article 1 a", "Article 5 b", "Article 6 c", "Article 7 d", "none"),
    ]


def test_styles_should_give_numbers_and_levels_of_headings(tmp_path: Path) -> None:
    def style(name: str, more: str, based: str = "") -> str:
        parent = f'<w:basedOn w:val="{based}"/>' if based else ""
        return (
            f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{name}"/>{parent}{more}</w:style>'
        )

    legal = levels("decimal %1", "decimal %1.%2").replace(
        '<w:lvlText w:val="%1.%2"/>', '<w:lvlText w:val="%1.%2"/><w:pStyle w:val="H2"/>'
    )
    number = '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>'
    styles = (
        style("heading 1", number)
        + style("H2", '<w:pPr><w:outlineLvl w:val="1"/></w:pPr>', "heading 1")
        + style(
            "Plain", '<w:pPr><w:outlineLvl w:val="9"/><w:numPr><w:numId w:val="0"/></w:numPr></w:pPr>', "H2"
        )
    )
    parts = {
        "styles.xml": ("styles", root("styles", styles)),
        "numbering.xml": ("numbering", numbering(legal)),
    }

    def styled(name: str, content: str) -> str:
        return p(content, f'<w:pStyle w:val="{name}"/>')

    body = (
        styled("heading 1", "Scope")
        + styled("H2", "Sites")
        + styled("Plain", "Text.")
        + styled("H2", "x" * 300)
    )
    document = parsed(word(tmp_path / "a.docx", body, parts))
    assert document.text.split("\n\n") == ["1 Scope", "1.1 Sites", "Text.", f"1.2 {'x' * 300}"]
    assert [h[:2] for h in document.headings] == [(1, "1 Scope"), (2, "1.1 Sites")]


def test_diagrams_charts_and_equations_should_give_their_words(tmp_path: Path) -> None:
    def drawn(words: str) -> str:
        return f"<a:p><a:r><a:t>{words}</a:t></a:r></a:p>"

    diagram = root("x", f"{drawn('Detect')}{drawn('Close valve')}").replace("w:x", "dgm:dataModel")
    values = "<c:cat><c:pt><c:v>2024</c:v></c:pt></c:cat><c:val><c:v>17</c:v></c:val>"
    chart = root("x", f"<c:title>{drawn('Sales')}</c:title>{values}").replace("w:x", "c:chartSpace")
    parts = {"d.xml": ("diagramData", diagram), "c.xml": ("chart", chart)}
    fraction = "<m:f><m:num><m:r><m:t>a+b</m:t></m:r></m:num><m:den><m:r><m:t>2</m:t></m:r></m:den></m:f>"
    body = p('<w:r><w:drawing><dgm:relIds r:dm="d.xml"/></w:drawing></w:r>')
    body += p('<w:r><w:drawing><c:chart r:id="c.xml"/></w:drawing></w:r>')
    body += p(run("Mean: ") + f"<m:oMath>{fraction}</m:oMath>")
    assert text(tmp_path, body, parts) == "Detect\nClose valve\n\nSales\n2024\n\nMean: (a+b)/2"


def test_files_within_the_document_should_be_read_in_their_place(tmp_path: Path) -> None:
    inner = word(tmp_path / "inner.docx", p("From a Word file")).read_bytes()
    parts = {
        "part.html": ("aFChunk", "<p>From the <b>embedded</b> page</p>"),
        "part.docx": ("aFChunk", inner),
        "part.mht": ("aFChunk", "x"),
    }
    chunks = "".join(f'<w:altChunk r:id="{name}"/>' for name in parts)
    document = parsed(word(tmp_path / "a.docx", p("Before.") + chunks + p("After."), parts))  # type: ignore[arg-type]
    assert document.text == "Before.\n\nFrom the embedded page\n\nFrom a Word file\n\nAfter."
    assert document.warnings == ("A part of the document in another format (.mht) is not read.",)


def test_what_is_hidden_or_not_read_should_be_said(tmp_path: Path) -> None:
    body = p(run("secret", "<w:vanish/>")) + p(
        '<w:r><w:object><o:OLEObject ProgID="Equation.3"/></w:object></w:r>'
    )
    document = parsed(word(tmp_path / "a.docx", body))
    assert document.text == "secret"
    assert document.warnings == (
        "Text that is hidden in Word is included.",
        "An embedded object of Equation is not read.",
    )


def test_the_strict_variant_should_be_read(tmp_path: Path) -> None:
    path = word(tmp_path / "a.docx", TITLE)
    strict = making.docx_of(
        tmp_path / "b.docx",
        root("document", f"<w:body>{TITLE}</w:body>").replace(
            making.WORD, "http://purl.oclc.org/ooxml/wordprocessingml/main"
        ),
    )
    assert parsed(strict) == parsed(path)


def test_documents_with_macros_should_give_their_text(tmp_path: Path) -> None:
    path = making.docx_of(tmp_path / "a.docm", making.docx_text("Text"), **{"word/vbaProject.bin": "x"})
    assert parse(path, DOCM.content_type).text == "Text"


def test_the_package_should_say_which_part_is_the_document(tmp_path: Path) -> None:
    path = making.docx_of(tmp_path / "a.docx", making.docx_text("Text"))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"word/document.xml", b"Word/Document.xml"))
    assert parsed(path).text == "Text"
    path.write_bytes(data.replace(b"word/document.xml", b"word/d0cument.xml"))
    with pytest.raises(ParseError) as error:
        parsed(path)
    assert error.value.code == "corrupt"


def test_a_table_of_many_rows_should_be_read_row_by_row(tmp_path: Path) -> None:
    rows = "".join(tr([f"part {n}", "x"]) for n in range(3000))
    body = f"<w:tbl>{rows}</w:tbl>" + p("After.")
    assert text(tmp_path, body).endswith("part 2999 | x\n\nAfter.")
