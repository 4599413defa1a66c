"""PowerPoint files: what stands beside the slides is in the text, and what is hidden is marked."""

from __future__ import annotations

import zipfile
from pathlib import Path

from pptx import Presentation
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.util import Inches

from ingestion.parsing import ParsedDocument, parse
from ingestion.parsing.filetypes import PPTX

LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NEW_LINKS = "http://schemas.microsoft.com/office/2018/10/relationships"
P = "http://schemas.openxmlformats.org/presentationml/2006/main"
NEW = "http://schemas.microsoft.com/office/powerpoint/2018/8/main"
A = "http://schemas.openxmlformats.org/drawingml/2006/main"


def parsed(path: Path) -> ParsedDocument:
    return parse(path, PPTX.content_type)


def show(path: Path, *texts: str) -> Path:
    presentation = Presentation()
    for text in texts:
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        slide.shapes.add_textbox(0, 0, 100, 100).text_frame.text = text
    presentation.save(str(path))
    return path


def changed(path: Path, changes: dict[str, tuple[str, str]], parts: dict[str, str] | None = None) -> Path:
    """The file with one replacement in each of some parts, and with more parts."""
    with zipfile.ZipFile(path) as archive:
        old = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in old.items():
            before, after = changes.get(name, ("", ""))
            assert before.encode() in data
            archive.writestr(name, data.replace(before.encode(), after.encode(), 1))
        for name, content in (parts or {}).items():
            archive.writestr(name, content)
    return path


def linked(kind: str, target: str) -> tuple[str, str]:
    return "</Relationships>", f'<Relationship Id="x" Type="{kind}" Target="{target}"/></Relationships>'


def test_hidden_slides_should_be_marked(tmp_path: Path) -> None:
    path = show(tmp_path / "a.pptx", "Shown", "Old prices")
    document = parsed(changed(path, {"ppt/slides/slide2.xml": ("<p:sld ", '<p:sld show="0" ')}))
    assert document.text == "Shown\n\n[Hidden slide]\n\nOld prices"
    assert document.pages[1].start == document.text.index("[")
    assert document.warnings == ("Slide 2 is hidden; its text is included.",)


def test_comments_should_have_their_authors(tmp_path: Path) -> None:
    path = show(tmp_path / "old.pptx", "Slide")
    authors = f'<p:cmAuthorLst xmlns:p="{P}"><p:cmAuthor id="3" name="Anna Kim"/></p:cmAuthorLst>'
    old = f'<p:cmLst xmlns:p="{P}"><p:cm authorId="3"><p:text>Ask legal</p:text></p:cm></p:cmLst>'
    changed(
        path,
        {
            "ppt/slides/_rels/slide1.xml.rels": linked(f"{LINKS}/comments", "../comments/c.xml"),
            "ppt/_rels/presentation.xml.rels": linked(f"{LINKS}/commentAuthors", "authors.xml"),
        },
        {"ppt/comments/c.xml": old, "ppt/authors.xml": authors},
    )
    assert parsed(path).text == "Slide\n\nComment by Anna Kim: Ask legal"


def test_new_comments_should_come_with_their_answers(tmp_path: Path) -> None:
    def body(text: str) -> str:
        return f'<n:txBody><a:p xmlns:a="{A}"><a:r><a:t>{text}</a:t></a:r></a:p></n:txBody>'

    path = show(tmp_path / "new.pptx", "Slide")
    authors = f'<n:authorLst xmlns:n="{NEW}"><n:author id="{{A}}" name="Kim"/></n:authorLst>'
    answer = f'<n:replyLst><n:reply authorId="{{B}}">{body("Done")}</n:reply></n:replyLst>'
    comment = f'<n:cm authorId="{{A}}">{answer}{body("Fix this")}</n:cm>'
    changed(
        path,
        {
            "ppt/slides/_rels/slide1.xml.rels": linked(f"{NEW_LINKS}/comments", "../comments/m.xml"),
            "ppt/_rels/presentation.xml.rels": linked(f"{NEW_LINKS}/authors", "authors.xml"),
        },
        {"ppt/comments/m.xml": f'<n:cmLst xmlns:n="{NEW}">{comment}</n:cmLst>', "ppt/authors.xml": authors},
    )
    assert parsed(path).text == "Slide\n\nComment by Kim: Fix this\nComment: Done"


def test_charts_should_give_titles_series_and_categories(tmp_path: Path) -> None:
    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    data = CategoryChartData()
    data.categories = [2023, 2024]
    data.add_series("Sales", (17.5, 21.25))
    place = (Inches(1), Inches(1), Inches(4), Inches(3))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.COLUMN_CLUSTERED, *place, data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Growth"
    presentation.save(str(tmp_path / "a.pptx"))
    assert parsed(tmp_path / "a.pptx").text == "Growth\nSales\n2023\n2024"


def test_merged_cells_should_stand_in_each_row_and_footers_once(tmp_path: Path) -> None:
    presentation = Presentation()
    for _ in range(2):
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        table = slide.shapes.add_table(3, 2, 0, 0, Inches(4), Inches(1)).table
        for cell, text in zip(table.iter_cells(), ["Group", "Part", "Steel", "bolt", "", "nut"], strict=True):
            cell.text = text
        table.cell(1, 0).merge(table.cell(2, 0))
    presentation.save(str(tmp_path / "a.pptx"))
    footer = (
        '<p:sp><p:nvSpPr><p:cNvPr id="9" name="f"/><p:cNvSpPr/><p:nvPr><p:ph type="ftr"/></p:nvPr></p:nvSpPr>'
        "<p:spPr/><p:txBody><a:p><a:r><a:t>Doc 0417</a:t></a:r></a:p></p:txBody></p:sp></p:spTree>"
    )
    slides = (f"ppt/slides/slide{number}.xml" for number in (1, 2))
    path = changed(tmp_path / "a.pptx", dict.fromkeys(slides, ("</p:spTree>", footer)))
    table_text = "Group | Part\nSteel | bolt\nSteel | nut"
    assert parsed(path).text == f"{table_text}\n\nDoc 0417\n\n{table_text}"


def test_what_stands_for_older_programs_should_not_be_read_again(tmp_path: Path) -> None:
    choice = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    path = show(tmp_path / "a.pptx", "Once")
    with zipfile.ZipFile(path) as archive:
        slide = archive.read("ppt/slides/slide1.xml").decode()
    shape = slide[slide.index("<p:sp>") : slide.index("</p:sp>") + len("</p:sp>")]
    both = (
        f'<mc:AlternateContent {choice}><mc:Choice Requires="x">{shape}</mc:Choice>'
        f"<mc:Fallback>{shape}</mc:Fallback></mc:AlternateContent>"
    )
    assert parsed(changed(path, {"ppt/slides/slide1.xml": (shape, both)})).text == "Once"
