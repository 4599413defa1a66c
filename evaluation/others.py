"""What other programs read of a file. Each reader gives text, or raises whatever it raises."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

SECONDS = 120  # that LibreOffice may take for a file
# Comma, double quote, UTF-8, as shown, formulas as values, all sheets.
ALL_SHEETS = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
BY_LIBREOFFICE = {
    **dict.fromkeys(("doc", "docx", "odt", "rtf"), "txt:Text (encoded):UTF8"),
    **dict.fromkeys(("xls", "xlsx", "ods", "csv"), ALL_SHEETS),
    **dict.fromkeys(("ppt", "pptx", "odp"), "pdf"),
}


def readers(path: Path) -> dict[str, Callable[[Path], str]]:
    """The programs that are installed and read this kind of file, by their names."""
    ending = path.suffix.lower().lstrip(".")
    own: dict[str, dict[str, Callable[[Path], str]]] = {
        "pdf": {"pypdf": by_pypdf, "pypdfium2": by_pypdfium2},
        "docx": {"python-docx": by_python_docx},
        "xlsx": {"openpyxl": by_openpyxl},
        "pptx": {"python-pptx": by_python_pptx},
    }
    found = own.get(ending, {})
    if ending in BY_LIBREOFFICE and shutil.which("soffice"):
        found = {**found, "LibreOffice": by_libreoffice}
    return found


def by_pypdf(path: Path) -> str:
    from pypdf import PdfReader

    return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def by_pypdfium2(path: Path) -> str:
    from pypdfium2 import PdfDocument

    with PdfDocument(path) as document:
        return "\n".join(page.get_textpage().get_text_range() for page in document)


def by_python_docx(path: Path) -> str:
    from docx import Document

    document = Document(str(path))
    cells = (cell.text for table in document.tables for row in table.rows for cell in row.cells)
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *cells])


def by_openpyxl(path: Path) -> str:
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True)
    rows = (row for sheet in book.worksheets for row in sheet.iter_rows(values_only=True))
    return "\n".join(" ".join(str(value) for value in row if isinstance(value, str)) for row in rows)


def by_python_pptx(path: Path) -> str:
    from pptx import Presentation

    return "\n".join(_slide_texts(Presentation(str(path))))


def _slide_texts(show: object) -> Iterator[str]:
    for slide in show.slides:  # type: ignore[attr-defined]
        for shape in slide.shapes:
            if shape.has_text_frame:
                yield shape.text_frame.text
            if getattr(shape, "has_table", False):
                yield from (cell.text for cell in shape.table.iter_cells())
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            yield slide.notes_slide.notes_text_frame.text


def by_libreoffice(path: Path) -> str:
    target = BY_LIBREOFFICE[path.suffix.lower().lstrip(".")]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [
                "soffice",
                f"-env:UserInstallation=file://{folder}/profile",
                "--headless",
                "--convert-to",
                target,
                "--outdir",
                f"{folder}/out",
                str(path),
            ],
            check=True,
            timeout=SECONDS,
            capture_output=True,
        )
        made = sorted(Path(folder, "out").glob("*"))
        if target == "pdf":
            return "\n".join(map(by_pypdfium2, made))
        texts = [file.read_text("utf-8-sig", errors="replace") for file in made]
        if target == ALL_SHEETS:
            return "\n".join(" ".join(row) for text in texts for row in csv.reader(io.StringIO(text)))
        return "\n".join(texts)
