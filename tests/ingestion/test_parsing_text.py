"""Encodings, languages, titles and dates, found without a child process."""

from __future__ import annotations

import datetime

import pytest

from ingestion.parsing.builder import TextBuilder, clean
from ingestion.parsing.encoding import decode
from ingestion.parsing.language import language_of
from ingestion.parsing.titles import date_of, sensible_title
from ingestion.parsing.types import ParsedDocument, ParseLimits

KOREAN = "제1조(목적) 이 규정은 회사의 인사관리에 관한 사항을 정함을 목적으로 한다. 휴가는 연 15일이다."
JAPANESE = (
    "会社の規程は、社員の就業に関する事項を定めるものとする。東京タワーの高さは三百三十三メートルです。"
)
CHINESE = "公司的规章制度规定了员工的工作时间和休假办法。北京是中华人民共和国的首都。"
RUSSIAN = "Всеобщая декларация прав человека принята Генеральной Ассамблеей"
FRENCH = "Le règlement intérieur définit les congés payés, où l'âge est précisé"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *((KOREAN, e) for e in ("cp949", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32")),
        *((JAPANESE, e) for e in ("cp932", "euc_jp", "iso2022_jp", "utf-16-be")),
        (CHINESE, "gb18030"),
        ("公司的規章制度規定了員工的工作時間和休假辦法。臺北是首都。", "big5"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (FRENCH, "cp1252"),
        ("Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv", "cp1250"),
    ],
)
def test_decode_should_find_the_encoding(text: str, encoding: str) -> None:
    if encoding in {"utf-16-le", "utf-16-be"}:
        text = "Rule 1 of the house. " + text  # without a mark, ASCII gives it away
    assert decode(text.encode(encoding)) == text


def test_decode_should_believe_a_declared_charset_that_fits() -> None:
    page = "<meta charset=iso-8859-6><p>وأعرب الاتحاد الجزائري</p>"
    assert decode(page.encode("iso-8859-6")) == page


def test_decode_should_keep_good_utf8_around_a_bad_byte() -> None:
    assert decode(KOREAN.encode() + b"\xff" + KOREAN.encode()) == f"{KOREAN}\ufffd{KOREAN}"


def test_clean_should_compose_letters_and_keep_hyphens_of_codes() -> None:
    assert clean("\u1112\u1161\u11ab\u1100\u1173\u11af U\u0308ber XK\u20114471") == "한글 Über XK-4471"


def test_clean_should_remove_what_no_reader_sees() -> None:
    assert clean("a\0b\u00adc\ud800d\ufeff \r\n\r\n\n\n e\u00a0f\x0c ") == "abcd\n\n e f"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (KOREAN + " KSLV-2 launch vehicle", "ko"),
        (JAPANESE, "ja"),
        (CHINESE, "zh"),
        ("The committee is of the opinion that leave is paid", "en"),
        ("Der Ausschuss ist der Meinung, dass die Kosten zu hoch sind", "de"),
        ("Los gastos de viaje se pagan en dos semanas por el banco", "es"),
        ("42 | 17 | 3.5", ""),
        ("M4 bolt", ""),
    ],
)
def test_language_should_be_found_or_left_open(text: str, language: str) -> None:
    assert language_of(text, lambda _: "") == language


def test_language_should_ask_the_detector_about_longer_texts() -> None:
    assert language_of("mikä tahansa " * 50, lambda _: "fin") == "fi"
    assert language_of(RUSSIAN, lambda _: "rus") == "ru"


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Microsoft Word - Annual report", "Annual report"),
        ("Annual  report 2024", "Annual report 2024"),
        ("휴가 규정", "휴가 규정"),
        *(
            (junk, "")
            for junk in (
                "Slide 1",
                "PowerPoint Presentation",
                "untitled",
                "report.docx",
                "2024-01",
                "Слайд 1",
            )
        ),
        ("broken \ufffd name", ""),
    ],
)
def test_title_should_be_sensible_or_nothing(title: str, shown: str) -> None:
    assert sensible_title(title) == shown


@pytest.mark.parametrize(
    ("value", "date"),
    [
        ("2023-06-21T08:08:37Z", datetime.date(2023, 6, 21)),
        ("D:20070915110237+02'00'", datetime.date(2007, 9, 15)),
        ("1601-01-01T00:00:00", None),
        ("2999-01-01", None),
        ("2023-02-31", None),
        ("yesterday", None),
    ],
)
def test_date_should_be_plausible_or_nothing(value: str, date: datetime.date | None) -> None:
    assert date_of(value) == date


def test_parsed_document_should_survive_json() -> None:
    builder = TextBuilder(ParseLimits())
    builder.page(1)
    builder.heading(2, "A heading")
    builder.table([["a", "b"], ["", ""], ["1", "2", ""]])
    document = builder.build()
    assert document.text == "A heading\n\na | b\n1 | 2"
    assert ParsedDocument.from_json(document.to_json()) == document
