"""Small documents, made in the test: whatever a library writes, and by hand what none does."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

SECTOR = 512
END, FREE, FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
PARA_HEADER, PARA_TEXT, CTRL_HEADER, LIST_HEADER, TABLE, STYLE = 66, 67, 71, 72, 77, 26


def pdf(path: Path, pages: Sequence[Sequence[str]], *, font: str = "Helvetica", title: str = "") -> Path:
    """A PDF with these lines on its pages."""
    canvas = Canvas(str(path), initFontName=font)
    if font != "Helvetica":
        pdfmetrics.registerFont(UnicodeCIDFont(font))
    if title:
        canvas.setTitle(title)
    for lines in pages:
        canvas.setFont(font, 11)
        for number, line in enumerate(lines):
            canvas.drawString(72, 760 - 14 * number, line)
        canvas.showPage()
    canvas.save()
    return path


def package(path: Path, parts: Mapping[str, str | bytes]) -> Path:
    """A zip file of these parts, in this order."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def docx_of(path: Path, document: str, **more: str) -> Path:
    """A Word file with this XML as its document part."""
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/officeDocument" Target="word/document.xml"/></Relationships>'
    )
    parts = {"[Content_Types].xml": types, "_rels/.rels": relations, "word/document.xml": document}
    return package(path, {**parts, **more})


def docx_text(text: str) -> str:
    return (
        f'<w:document xmlns:w="{WORD}"><w:body><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:body></w:document>'
    )


def ole(path: Path, streams: Mapping[str, bytes]) -> Path:
    """A compound file (version 3) of these streams; "A/B" puts B into storage A."""
    folders = sorted({name.split("/")[0] for name in streams if "/" in name})
    tops = sorted([*folders, *(name for name in streams if "/" not in name)], key=lambda n: (len(n), n))
    order = [*tops, *(name for name in streams if "/" in name)]
    number = {name: i for i, name in enumerate(order, 1)}
    body, chains, entries = b"", [], [_entry("Root Entry", 5, child=number[tops[0]], start=END)]
    for name in order:
        following = [n for n in order if n.rpartition("/")[0] == name.rpartition("/")[0]]
        right = dict(zip(following, following[1:], strict=False)).get(name)
        if name in folders:
            child = next(number[n] for n in order if n.startswith(name + "/"))
            entries.append(_entry(name, 1, child=child, right=number.get(right or "", FREE), start=0))
            continue
        data = streams[name].ljust(4096, b"\0")  # shorter streams would need the small-sector table
        sectors = -(-len(data) // SECTOR)
        start = len(body) // SECTOR
        body += data.ljust(sectors * SECTOR, b"\0")
        chains += [*range(start + 1, start + sectors), END]
        last = name.rpartition("/")[2]
        entries.append(_entry(last, 2, right=number.get(right or "", FREE), start=start, size=len(data)))
    directory = b"".join(entries)
    directory = directory.ljust(-(-len(directory) // SECTOR) * SECTOR, b"\0")
    first = len(chains)
    chains += [*range(first + 1, first + len(directory) // SECTOR), END]
    tables = -(-(len(chains) + 2) // 127)
    table_sectors = list(range(len(chains), len(chains) + tables))
    table = [*chains, *[FAT] * tables]
    table += [FREE] * (tables * 128 - len(table))
    header = struct.pack(
        "<8s16xHHHHH6xIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6, 0, tables, first, 0, 4096, END, 0, END, 0,
    )  # fmt: skip
    header += struct.pack("<109I", *table_sectors, *[FREE] * (109 - tables))
    path.write_bytes(header + body + directory + struct.pack(f"<{len(table)}I", *table))
    return path


def _entry(name: str, kind: int, *, child: int = FREE, right: int = FREE, start: int, size: int = 0) -> bytes:
    encoded = name.encode("utf-16-le") + b"\0\0"
    links = struct.pack("<64sHBBIII", encoded, len(encoded), kind, 1, FREE, right, child)
    return links + bytes(36) + struct.pack("<IQ", start, size)


Records = Sequence[tuple[int, int, bytes]]


def hwp(path: Path, records: Records, *, flags: int = 1, info: Records = ()) -> Path:
    """An HWP 5 file with one section of (tag, level, payload) records; style 1 is 개요 1."""
    names = ["바탕글", "개요 1"]
    styles = [(STYLE, 0, struct.pack("<H", len(n)) + n.encode("utf-16-le")) for n in names]
    header = b"HWP Document File".ljust(32, b"\0") + struct.pack("<II", 0x05000300, flags)
    streams = {
        "DocInfo": deflated([*styles, *info]),
        "BodyText/Section0": deflated(records),
        "FileHeader": header,
    }
    return ole(path, streams)


def hwp_paragraph(
    text: str, level: int = 0, *, style: int = 0, shape: int = 0
) -> list[tuple[int, int, bytes]]:
    head = struct.pack("<IIHB", len(text), 0, shape, style)
    return [(PARA_HEADER, level, head), (PARA_TEXT, level + 1, text.encode("utf-16-le") + b"\r\0")]


def hwp_table(rows: Sequence[Sequence[str]]) -> list[tuple[int, int, bytes]]:
    table = [(CTRL_HEADER, 1, b" lbt"), (TABLE, 2, struct.pack("<IHH", 0, len(rows), len(rows[0])))]
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            table.append((LIST_HEADER, 2, struct.pack("<IIHH", 1, 0, x, y)))
            table += hwp_paragraph(cell, 2)
    return table


def deflated(records: Records) -> bytes:
    out = b""
    for tag, level, payload in records:
        size = min(len(payload), 0xFFF)
        out += struct.pack("<I", tag | level << 10 | size << 20)
        out += (struct.pack("<I", len(payload)) if size == 0xFFF else b"") + payload
    deflater = zlib.compressobj(wbits=-15)
    return deflater.compress(out) + deflater.flush()
