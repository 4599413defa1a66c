"""PDF by geometry: all that a page shows, in the order in which people read it, and where it stands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pypdfium2 import PdfDocument, PdfPage
from reportlab.lib import colors
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Table

from ingestion.chunking import chunk
from ingestion.parsing import ParsedDocument, parse
from ingestion.parsing.boxes import LineBox, pack, unpack

A4 = (595, 842)
FILLER = "This sentence only makes the lines of the page about as long as lines usually are."


def read(path: Path, draw: Callable[[Canvas], None]) -> ParsedDocument:
    """What is read of a file that `draw` draws. Its last page is ended here."""
    canvas = Canvas(str(path / "a.pdf"), pagesize=A4)
    canvas.setFont("Helvetica", 11)
    draw(canvas)
    canvas.save()
    return parse(path / "a.pdf", "application/pdf")


def changed(path: Path, change: Callable[[PdfPage], None]) -> ParsedDocument:
    """What is read of the file after a change to its first page."""
    with PdfDocument(path / "a.pdf") as document:
        change(document[0])
        document.save(path / "b.pdf")
    return parse(path / "b.pdf", "application/pdf")


def lines(*texts: str, left: float = 72, top: float = 760, step: float = 14) -> Callable[[Canvas], None]:
    def draw(canvas: Canvas) -> None:
        for number, text in enumerate(texts):
            canvas.drawString(left, top - step * number, text)

    return draw


def boxes(document: ParsedDocument) -> dict[str, LineBox]:
    return {document.text[box.start : box.end]: box for box in unpack(document.lines)}


def tables(document: ParsedDocument) -> list[list[str]]:
    return [document.text[table.start : table.end].split("\n") for table in document.tables]


# Pages


@pytest.mark.parametrize("corner", [(-300, -842), (1000, 500)])
def test_pages_that_do_not_begin_at_zero_should_keep_their_text(
    tmp_path: Path, corner: tuple[float, float]
) -> None:
    left, bottom = corner

    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 800, "Seen")  # what is read may not be empty before the change
        canvas.translate(left, bottom)
        lines("The first line of the page", "The last line of the page", top=742, step=640)(canvas)

    read(tmp_path, draw)
    document = changed(tmp_path, lambda page: page.set_mediabox(left, bottom, left + 595, bottom + 842))
    assert document.text == "The first line of the page\n\nThe last line of the page"
    box = boxes(document)["The first line of the page"]
    assert box.x0 == pytest.approx(72 / 595, abs=0.005)
    assert box.y0 < 100 / 842 < box.y1


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_turned_pages_should_be_read_and_located_as_they_are_shown(tmp_path: Path, turn: int) -> None:
    width, height = A4 if turn in (0, 180) else (A4[1], A4[0])
    upright = {0: (1, 0, 0, 1, 0, 0), 90: (0, 1, -1, 0, 595, 0), 180: (-1, 0, 0, -1, *A4)}
    upright[270] = (0, -1, 1, 0, 0, 842)

    def draw(canvas: Canvas) -> None:
        canvas.transform(*upright[turn])
        lines("Service Building 1010A has four lifts", "and two stairs.", top=height - 100)(canvas)

    read(tmp_path, draw)
    document = changed(tmp_path, lambda page: page.set_rotation(turn))
    assert document.text == "Service Building 1010A has four lifts and two stairs."
    first = boxes(document)["Service Building 1010A has four lifts"]
    assert first.x0 == pytest.approx(72 / width, abs=0.005)
    assert first.y0 < 100 / height < first.y1
    assert first.x1 > first.x0 + 0.15


def test_sideways_text_should_be_read_in_its_own_direction(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.rotate(90)
        for number, row in enumerate([("Fluid", "Capacity", "Part"), ("Coolant", "18.6 quarts", "Gold")]):
            for column, cell in enumerate(row):
                canvas.drawString(100 + 120 * column, -200 - 20 * number, cell)

    document = read(tmp_path, draw)
    assert tables(document) == [["Fluid | Capacity | Part", "Coolant | 18.6 quarts | Gold"]]
    box = boxes(document)["Fluid | Capacity | Part"]
    assert box.y1 - box.y0 > 5 * (box.x1 - box.x0)


def test_text_outside_the_visible_page_should_be_left_out(tmp_path: Path) -> None:
    document = read(tmp_path, lines("Seen by all", "Cut off", step=800))
    assert document.text == "Seen by all"


def test_pages_without_text_should_be_counted_in_a_warning(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(72, 700, "Only the first page has text")
        canvas.showPage()
        canvas.rect(72, 72, 100, 100, fill=1)
        canvas.showPage()
        canvas.showPage()  # blank: nothing is lost

    assert read(tmp_path, draw).warnings == (
        "Pages without text: 1 of 3. They are pictures; OCR can read them.",
    )


# Forms and notes


def test_form_values_and_notes_should_stand_beside_their_labels(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        form = canvas.acroForm
        canvas.drawString(72, 700, "Surname:")
        form.textfield(value="Oberhausen-Testmann", x=140, y=694, width=200, height=20, name="surname")
        canvas.drawString(72, 660, "Country:")
        form.choice(value="Korea", options=["Chile", "Korea"], x=140, y=654, width=90, height=20, name="c")
        canvas.drawString(72, 620, "Married")
        form.checkbox(checked=True, x=140, y=616, size=14, name="married")
        canvas.textAnnotation("Ask for a lower cap here", Rect=[400, 700, 420, 720])
        canvas.freeTextAnnotation("Approved by Kim", Rect=[72, 400, 250, 420], DA="/Helv 10 Tf")

    text = read(tmp_path, draw).text
    assert "Surname: Oberhausen-Testmann" in text
    assert "Country: Korea" in text
    assert "Married ☒" in text
    assert "Approved by Kim" in text
    assert text.endswith("[Ask for a lower cap here]")


# Words at line ends


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("Employees who travel for the company are as a rule reim-", "bursed in full.", "reimbursed"),
        (
            "The offer of this spring already names all of the price-",
            "determining costs.",
            "price-determining",
        ),
        ("The second sample was found to hold n-undecanal and n-", "tridecanal in amounts.", "n-tridecanal"),
        ("For the repair please order two pieces of the part XK-", "4471 at the store.", "XK-4471"),
        (
            "Questions are answered by the colleagues at service-",
            "desk@example.org.",
            "service-desk@example.org",
        ),
        (
            "The form can be found at https://example.org/long-",
            "term/index.html now.",
            "/long-term/index.html",
        ),
        ("Die Pforte zeichnet jeden Tag auf, wer durch den Ein-", "und Ausgang geht.", "Ein- und Ausgang"),
        ("Wer kündigen will, muss wissen, wie lang die Kündigungs-", "frist ist.", "Kündigungsfrist ist"),
        ("Die Regeln gelten seit dem Jahr auch im Land Nordrhein-", "Westfalen.", "Nordrhein-Westfalen"),
        ("The plan was made for the years 2019-", "2024 and beyond.", "2019-2024"),
        ("The minutes of the meeting name the zorblator. The zorb-", "lator was sold.", "zorblator was sold"),
    ],
)
def test_hyphen_at_a_line_end_should_go_only_if_the_layout_put_it_there(
    tmp_path: Path, first: str, second: str, joined: str
) -> None:
    assert joined in read(tmp_path, lines(first, second)).text


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (  # lines that end anywhere
            (
                "제12조 회사는 일 년 동안 팔할 이상을 출근한 모든 직원에게 열닷새의 유급 연차휴",
                "가를 주며, 쓰지 않은 날에는 그 다음 해의 첫 달에 정해진 수당을 한꺼번에 지",
                "급한다.",
            ),
            ("연차휴가를 주며", "한꺼번에 지급한다"),
        ),
        (  # ragged lines: only what stands elsewhere as one word
            (
                "모든 직원에게는 해마다 연차휴가를 주며 그 일수는 따로 날을",
                "잡아서정해 둔다. 직원이 그 회사에서 세 해를 넘어 일한 때에는 연차휴",
                "가를 언제나 쓸 수 있다.",
            ),
            ("날을 잡아서정해 둔다", "때에는 연차휴가를 언제나"),
        ),
    ],
)
def test_hangul_words_should_be_made_whole(
    tmp_path: Path, texts: tuple[str, ...], joined: tuple[str, ...]
) -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("HYSMyeongJo-Medium"))

    def draw(canvas: Canvas) -> None:
        canvas.setFont("HYSMyeongJo-Medium", 11)
        lines(*texts)(canvas)

    text = read(tmp_path, draw).text
    for word in joined:
        assert word in text


# Order


@pytest.mark.parametrize("shift", [0, 5])
def test_columns_drawn_row_by_row_should_be_read_one_after_the_other(tmp_path: Path, shift: float) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFont("Helvetica", 9)
        canvas.drawString(
            72, 780, "A line over both columns, as an abstract or a title has it, that is long enough."
        )
        for row in range(12):
            canvas.drawString(72, 750 - 12 * row, f"left line {row} goes on to the end of column")
            canvas.drawString(310, 750 - shift - 12 * row, f"right line {row} goes on to the end of it too")

    text = " ".join(read(tmp_path, draw).text.split())
    assert "column left line 11 goes on to the end of column right line 0 goes" in text
    assert text.startswith("A line over both columns")


def test_lines_of_an_address_should_stay_lines(tmp_path: Path) -> None:
    address = ("Kim Minsu", "Hauptstraße 5", "10115 Berlin")
    assert read(tmp_path, lines(*address)).text == "\n".join(address)


def test_list_items_should_begin_lines(tmp_path: Path) -> None:
    text = read(tmp_path, lines(FILLER[:69], "and ends here.", "• " + FILLER[:66], "• and more.")).text
    assert text.split("\n") == [f"{FILLER[:69]} and ends here.", "• " + FILLER[:66], "• and more."]


# Headings and repeated lines


def test_headings_should_be_found_by_size_weight_and_outline(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for font, size, top, text in [
            ("Helvetica", 20, 780, "Handbook"),
            ("Helvetica", 11, 740, FILLER),
            ("Helvetica-Bold", 11, 700, "Leave"),
            ("Helvetica", 11, 680, FILLER),
            ("Helvetica", 11, 640, "Sick leave"),
            ("Helvetica", 11, 620, FILLER + " Twelve days."),
        ]:
            canvas.setFont(font, size)
            canvas.drawString(72, top, text)
        for level, title in enumerate(["Handbook", "Leave", "Sick leave"]):
            canvas.bookmarkPage(title)
            canvas.addOutlineEntry(title, title, level)

    document = read(tmp_path, draw)
    assert [heading[:2] for heading in document.headings] == [
        (1, "Handbook"),
        (2, "Leave"),
        (3, "Sick leave"),
    ]
    assert chunk(document, words=20)[-1].heading == "Handbook > Leave > Sick leave"


def test_repeated_edges_should_be_kept_once_and_page_numbers_go(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for page in range(1, 5):
            canvas.setFont("Helvetica", 11)
            canvas.drawString(72, 815, "Travel policy, document 4711")
            lines(f"Rule {page} says what people do. " + FILLER[:50], "Result: within tolerance")(canvas)
            canvas.drawString(72, 40, f"Internal use only {page + 2}")
            canvas.drawString(290, 20, f"Page {page} of 4")
            canvas.showPage()

    text = read(tmp_path, draw).text
    assert text.count("Travel policy, document 4711") == 1
    assert text.count("Internal use only") == 1
    assert text.count("Result: within tolerance") == 4
    assert "Page" not in text


# Tables

FIGURES = [("Products", "60,584", "63,355"), ("Services", "21,213", "19,604"), ("Total", "81,797", "82,959")]


def test_aligned_table_should_give_rows_under_one_header(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawCentredString(390, 760, "Three Months Ended")
        canvas.drawCentredString(330, 746, "July 1, 2023")
        canvas.drawCentredString(450, 746, "June 25, 2022")
        for number, (label, *values) in enumerate(FIGURES):
            canvas.drawString(72, 726 - 14 * number, label)
            for right, value in zip((360, 480), values, strict=True):
                canvas.drawString(right - 60, 726 - 14 * number, "$")
                canvas.drawRightString(right, 726 - 14 * number, value)

    assert tables(read(tmp_path, draw)) == [
        [
            "| Three Months Ended July 1, 2023 | Three Months Ended June 25, 2022",
            *(f"{label} | ${one} | ${other}" for label, one, other in FIGURES),
        ]
    ]


def test_grid_should_give_merged_and_wrapped_cells(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        table = Table(
            [
                ["Region", "2023", "", "Note"],
                ["", "Units", "Revenue", ""],
                ["North", "10", "1,000", "a note that\nwraps over lines"],
                ["", "12", "1,300", "none"],
            ],
            style=[
                ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
                ("SPAN", (1, 0), (2, 0)),
                ("SPAN", (0, 0), (0, 1)),
                ("SPAN", (3, 0), (3, 1)),
                ("SPAN", (0, 2), (0, 3)),
            ],
        )
        table.wrapOn(canvas, 400, 400)
        table.drawOn(canvas, 72, 500)

    assert tables(read(tmp_path, draw)) == [
        [
            "Region | 2023 Units | 2023 Revenue | Note",
            "North | 10 | 1,000 | a note that wraps over lines",
            "North | 12 | 1,300 | none",
        ]
    ]


def test_header_should_stand_before_each_passage_and_each_page_of_a_long_table(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for page in range(2):
            canvas.setFont("Helvetica-Bold", 11)
            if page == 0:
                for left, text in [(72, "Item"), (250, "Place of storage"), (450, "Stock")]:
                    canvas.drawString(left, 780, text)
            canvas.setFont("Helvetica", 11)
            for row in range(45):
                for left, text in [
                    (72, f"Bolt M{row}-{page}"),
                    (250, f"Shelf {row} in hall B"),
                    (450, str(row)),
                ]:
                    canvas.drawString(left, 760 - 15 * row, text)
            canvas.showPage()

    document = read(tmp_path, draw)
    passages = chunk(document, words=60)
    assert len(passages) > 4
    assert {passage.text.split("\n")[0] for passage in passages} == {"Item | Place of storage | Stock"}


# Boxes


def test_every_line_should_have_its_box(tmp_path: Path) -> None:
    document = read(tmp_path, lines(FILLER[:60] + " reim-", "bursed in full.", "Last line"))
    found = list(unpack(document.lines))
    assert [document.text[box.start : box.end] for box in found] == [
        FILLER[:60] + " reim",
        "bursed in full.",
        "Last line",
    ]
    assert all(0 < box.x0 < box.x1 < 1 and 0 < box.y0 < box.y1 < 1 and box.page == 1 for box in found)
    assert found[0].y1 < found[1].y1 < found[2].y1


def test_packed_boxes_should_come_back_small() -> None:
    given = [LineBox(80 * n, 80 * n + 79, 1 + n // 50, 0.1, 0.01 * (n % 50), 0.9, 0.02) for n in range(5000)]
    assert [tuple(box) for box in unpack(pack(given))] == [pytest.approx(tuple(box)) for box in given]
    assert len(pack(given)) < 5 * len(given)
    assert list(unpack(pack([]))) == []
