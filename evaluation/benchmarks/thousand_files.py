"""Make a folder of many files in many formats, to ingest.

    .venv/bin/python evaluation/benchmarks/thousand_files.py FOLDER [--files 1000] [--also OTHER_FOLDER]
    .venv/bin/python manage.py ingest FOLDER --library Thousand

The text is that of the demo library, its sentences shuffled, so that every file differs. `--also` adds real
files.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import docx
import openpyxl
import pptx
from reportlab.pdfgen.canvas import Canvas

DEMO = Path(__file__).resolve().parents[1] / "demo" / "documents"
Paragraphs = list[str]


def sentences() -> list[str]:
    lines = [
        line.strip() for path in sorted(DEMO.glob("*.md")) for line in path.read_text("utf-8").splitlines()
    ]
    return [line for line in lines if len(line) > 30 and not line.startswith("|")]


def text(paragraphs: Paragraphs) -> bytes:
    return "\n\n".join(paragraphs).encode()


def korean_text(paragraphs: Paragraphs) -> bytes:
    return "\n\n".join(paragraphs).encode("cp949", "ignore")


def markdown(paragraphs: Paragraphs) -> bytes:
    return "\n\n".join(f"## Part {n}\n\n{p}" for n, p in enumerate(paragraphs)).encode()


def html(paragraphs: Paragraphs) -> bytes:
    body = "".join(f"<h2>Part {n}</h2><p>{p}</p>" for n, p in enumerate(paragraphs))
    return f"<!doctype html><meta charset=utf-8><title>{paragraphs[0][:40]}</title>{body}".encode()


def table(paragraphs: Paragraphs) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows([["number", "text"], *enumerate(paragraphs)])
    return out.getvalue().encode()


def records(paragraphs: Paragraphs) -> bytes:
    return json.dumps(
        [{"number": n, "text": p} for n, p in enumerate(paragraphs)], ensure_ascii=False
    ).encode()


def word(paragraphs: Paragraphs) -> bytes:
    document, out = docx.Document(), io.BytesIO()
    for paragraph in paragraphs:
        document.add_paragraph(paragraph)
    document.save(out)
    return out.getvalue()


def slides(paragraphs: Paragraphs) -> bytes:
    show, out = pptx.Presentation(), io.BytesIO()
    for paragraph in paragraphs[:5]:
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text, slide.placeholders[1].text = paragraph[:40], paragraph
    show.save(out)
    return out.getvalue()


def sheet(paragraphs: Paragraphs) -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in enumerate(paragraphs):
        book.active.append(row)
    book.save(out)
    return out.getvalue()


def pdf(paragraphs: Paragraphs) -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    for paragraph in paragraphs[:6]:
        for n in range(0, len(paragraph), 80):
            canvas.drawString(
                50, 800 - n // 5, paragraph[n : n + 80].encode("latin-1", "ignore").decode("latin-1")
            )
        canvas.showPage()
    canvas.save()
    return out.getvalue()


FORMATS: dict[str, Callable[[Paragraphs], bytes]] = {
    "txt": text, "cp949.txt": korean_text, "md": markdown, "html": html, "csv": table,
    "json": records, "docx": word, "pptx": slides, "xlsx": sheet, "pdf": pdf,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--also", type=Path)
    options = parser.parse_args()
    source, chance, formats = sentences(), random.Random(0), list(FORMATS.items())
    options.folder.mkdir(parents=True)
    if options.also:
        shutil.copytree(options.also, options.folder / "also")
    made = sum(path.is_file() for path in options.folder.rglob("*"))
    for number in range(made, options.files):
        ending, make = formats[number % len(formats)]
        paragraphs = [" ".join(chance.sample(source, 4)) for _ in range(12)]
        target = options.folder / f"folder-{number % 17}" / f"file-{number}.{ending}"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(make(paragraphs))
    print(f"{options.files} files in {options.folder}")


if __name__ == "__main__":
    main()
