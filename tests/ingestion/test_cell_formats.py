"""Number formats: what Excel shows of a stored number."""

from __future__ import annotations

import pytest

from ingestion.parsing.readers.cell_formats import shown, shown_text


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.25, "0%", "25%"),
        (0.123, "0.0 %", "12.3 %"),
        (1234.5, "[$€-2] #,##0.00", "€ 1,234.50"),
        (1234.5, '#,##0.00 "kr"', "1,234.50 kr"),
        (-1234.5, "#,##0.00_);[Red](#,##0.00)", "(1,234.50)"),
        (0, '_-* #,##0.00_-;-* #,##0.00_-;_-* "-"??_-;_-@_-', "-"),
        (734, "00000", "00734"),
        (123456789, "000-00-0000", "123-45-6789"),
        (5551234567, "(###) ###-####", "(555) 123-4567"),
        (1234567, "#,##0,", "1,235"),
        (1234567, '0.0,,"M"', "1.2M"),
        (12345.678, "0.00E+00", "1.23E+04"),
        (12345.678, "##0.0E+0", "12.3E+3"),
        (1.005, "0.00", "1.01"),  # Excel rounds the decimal number, not the binary one
        (12, "0.0#", "12.0"),
        (1.5, "# ?/?", "1 1/2"),
        (0.333, "# ??/??", "1/3"),
        (2.25, "# ?/8", "2 2/8"),
        (150, '[>100]"big";[<50]"small";0', "big"),
        (70, '[>100]"big";[<50]"small";0', "70"),
        (5, ";;;", ""),
        (-3, "General", "-3"),
        (0.1 + 0.2, "General", "0.3"),
        (4006381333931, "General", "4006381333931"),
        (7, "@", "7"),
    ],
)
def test_numbers_should_read_as_their_cells_show_them(value: float, code: str, text: str) -> None:
    assert shown(value, code) == text


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (46205, "yyyy-mm-dd", "2026-07-02"),
        (46205.57291666666, "d.m.yyyy h:mm:ss", "2.7.2026 13:45:00"),
        (46205.75, "dddd, mmmm d, yyyy h AM/PM", "Thursday, July 2, 2026 6 PM"),
        (46205, "[$-409]d-mmm-yy;@", "2-Jul-26"),
        (46205, 'yyyy"년" m"월" d"일"', "2026년 7월 2일"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (0.0007, "mm:ss.0", "01:00.5"),
        (1, "yyyy-mm-dd", "1900-01-01"),
        (-1, "yyyy-mm-dd", "-1"),  # no such date
    ],
)
def test_dates_and_durations_should_read_as_their_cells_show_them(value: float, code: str, text: str) -> None:
    assert shown(value, code) == text


def test_workbooks_of_old_macs_should_count_days_from_1904() -> None:
    assert shown(44743, "yyyy-mm-dd", from_1904=True) == "2026-07-02"


def test_text_should_stand_within_the_words_of_its_format() -> None:
    assert shown_text("7", '"Room "@') == "Room 7"
    assert shown_text("7", "0.00") == "7"
