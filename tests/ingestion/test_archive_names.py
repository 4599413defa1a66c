"""Names in zip files whose programs did not say in which encoding they wrote them."""

from __future__ import annotations

import unicodedata
import zipfile
from io import BytesIO

import pytest

from ingestion.parsing import ParseLimits
from ingestion.parsing.archives import archive_members


def named(names: list[bytes]) -> list[str]:
    """What archive_members gives for names of these bytes."""
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for number, name in enumerate(names):
            file.writestr(f"{number}".rjust(len(name), "_"), "text")
    data = archive.getvalue()
    for number, name in enumerate(names):
        data = data.replace(f"{number}".rjust(len(name), "_").encode(), name)
    return [name for name, _ in archive_members(BytesIO(data), ParseLimits())]


@pytest.mark.parametrize(
    ("names", "charset"),
    [
        (["휴가규정.pdf", "2024년 예산/예산안.xlsx"], "cp949"),
        (["議事録.docx", "表紙/予算表.txt"], "cp932"),
        (["員工手冊一覽表.pdf"], "cp950"),
        (["中文资料汇总.docx"], "gbk"),
        (["Prüfprotokoll Öltank.txt", "Möbel.txt"], "cp437"),
        (["Résumé été.doc"], "cp850"),
        (["Отчёт.txt"], "cp866"),
        (["Cœur de métier.txt"], "cp1252"),
        ([unicodedata.normalize("NFD", "한글 문서 Über.txt")], "utf-8"),
    ],
)
def test_names_should_come_in_as_people_gave_them(names: list[str], charset: str) -> None:
    assert named([name.encode(charset) for name in names]) == [unicodedata.normalize("NFC", n) for n in names]


def test_folders_of_windows_should_be_folders() -> None:
    assert named([b"2024\\report.pdf"]) == ["2024/report.pdf"]
