"""Scans: pages that are pictures, crooked by two degrees, in English and Korean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from pypdfium2 import PdfDocument
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from ingestion.parsing import ParsedDocument, ParseError, ocr, parse
from ingestion.parsing.boxes import unpack
from ingestion.parsing.filetypes import BY_EXTENSION
from ingestion.parsing.uploads import detect
from ingestion.scans import OCR_LIMITS
from library.errors import RefusedError

TEXTS = {
    "en": (
        "The committee agreed that the annual leave of every member of staff should be raised to 25 days.",
        "Travel costs are paid within two weeks after all receipts have reached the office in Berlin.",
        "Part XK-4471 costs 1,250.75 euros; please order two pieces before 31 March 2024.",
        "Whoever wants to end the contract must give notice in writing three months before the end.",
    ),
    "ko": (
        "제12조 회사는 일 년 동안 팔할 이상을 출근한 모든 직원에게 열닷새의 유급 연차휴가를 준다.",
        "출장비는 영수증을 제출한 날부터 두 주 안에 지급하며 담당 부서는 재무팀이다.",
        "직원은 해마다 건강 검진을 받아야 하고 그 비용은 회사가 부담한다.",
        "계약을 해지하려는 사람은 계약이 끝나기 석 달 전에 서면으로 알려야 한다.",
    ),
}
FONTS = {"en": "Helvetica", "ko": "HYSMyeongJo-Medium"}


def scan(folder: Path, language: str, dpi: int, suffix: str) -> Path:
    """A picture of a page of known text."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONTS["ko"]))
    canvas = Canvas(str(folder / "text.pdf"))
    canvas.setFont(FONTS[language], 11)
    for number, line in enumerate(TEXTS[language]):
        canvas.drawString(60, 760 - 22 * number, line)
    canvas.save()
    with PdfDocument(folder / "text.pdf") as document:
        picture = document[0].render(scale=dpi / 72).to_pil().convert("L")
    path = folder / f"scan{suffix}"
    picture.rotate(2, expand=True, fillcolor=255).save(path, dpi=(dpi, dpi), resolution=dpi)
    return path


def read(path: Path, *languages: str) -> ParsedDocument:
    return parse(path, BY_EXTENSION[path.suffix].content_type, limits=OCR_LIMITS, ocr=languages)


def errors(wanted: str, got: str) -> float:
    """Character error rate: edits by characters of what is wanted, white space aside."""
    wanted, got = "".join(wanted.split()), "".join(got.split())
    row = list(range(len(got) + 1))
    for number, char in enumerate(wanted, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(got, 1):
            before, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, before + (char != other)),
            )
    return row[-1] / len(wanted)


@pytest.mark.parametrize(("dpi", "most"), [(150, 0.06), (300, 0.03)])
@pytest.mark.parametrize(("text", "languages"), [("en", ("en",)), ("en", ("en", "ko")), ("ko", ("ko",))])
def test_crooked_scan_should_be_read(
    tmp_path: Path, text: str, languages: tuple[str, ...], dpi: int, most: float
) -> None:
    if not ocr.engine(languages):
        pytest.skip("OCR of these languages is not installed")
    document = read(scan(tmp_path, text, dpi, ".pdf"), *languages)
    assert errors("".join(TEXTS[text]), document.text) <= most
    assert document.unread == 0
    assert len(list(unpack(document.lines))) == len(TEXTS[text])


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tiff", ".webp"])
def test_pictures_should_be_read_as_pages(tmp_path: Path, suffix: str) -> None:
    if not ocr.engine(["en"]):
        pytest.skip("OCR of English is not installed")
    document = read(scan(tmp_path, "en", 200, suffix), "en")
    assert errors("".join(TEXTS["en"]), document.text) <= 0.03
    assert [page.number for page in document.pages] == [1]


def test_scan_without_ocr_should_say_what_to_switch_on(tmp_path: Path) -> None:
    with pytest.raises(ParseError, match="switch on OCR") as error:
        read(scan(tmp_path, "en", 72, ".png"))
    assert error.value.code == "no_text"


def test_pages_beyond_the_time_of_ocr_should_stay_unread(tmp_path: Path) -> None:
    path = scan(tmp_path, "en", 72, ".pdf")
    with pytest.raises(ParseError) as error:
        parse(path, "application/pdf", limits=replace(OCR_LIMITS, ocr_seconds=0), ocr=["en"])
    assert error.value.code == "no_text"


def test_damaged_picture_should_be_corrupt(tmp_path: Path) -> None:
    if not ocr.engine(["en"]):
        pytest.skip("OCR of English is not installed")
    path = scan(tmp_path, "en", 72, ".png")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ParseError) as error:
        read(path, "en")
    assert error.value.code == "corrupt"


def test_pictures_should_be_accepted_only_where_ocr_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "installed", lambda: False)
    with pytest.raises(RefusedError):
        detect("scan.png")
    monkeypatch.setattr(ocr, "installed", lambda: True)
    assert detect("scan.png").label == "png"
