"""Files made to break parsers end with a name, quickly."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

import pytest

from ingestion.parsing import ParseError, parse
from ingestion.parsing.filetypes import BY_EXTENSION
from tests.ingestion import making


def code_of(path: Path) -> str:
    with pytest.raises(ParseError) as error:
        parse(path, BY_EXTENSION[path.suffix].content_type)
    assert error.value.message.endswith(".")
    return error.value.code


def test_deflate_bomb_should_be_unsafe(tmp_path: Path) -> None:
    path = making.docx_of(tmp_path / "a.docx", making.docx_text("a" * 50_000_000))
    assert path.stat().st_size < 100_000
    assert code_of(path) == "unsafe_archive"


def test_lying_header_should_be_unsafe(tmp_path: Path) -> None:
    path = making.docx_of(tmp_path / "a.docx", making.docx_text("hello"))
    path.write_bytes(path.read_bytes().replace(b"word/document.xml", b"word/d0cument.xml", 1))
    assert code_of(path) == "unsafe_archive"


def test_bad_checksum_should_be_corrupt(tmp_path: Path) -> None:
    path = making.docx_of(tmp_path / "a.docx", making.docx_text("hello"))
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo("word/document.xml")
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02", info.header_offset) - 5] ^= 0xFF
    path.write_bytes(data)
    assert code_of(path) == "corrupt"


@pytest.mark.parametrize("suffix", [".docx", ".pdf", ".hwp"])
def test_truncated_file_should_be_corrupt(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    if suffix == ".docx":
        making.docx_of(path, making.docx_text("hello"))
    elif suffix == ".pdf":
        making.pdf(path, [["hello"]])
    else:
        making.hwp(path, making.hwp_paragraph("안녕"))
    path.write_bytes(path.read_bytes()[:300])
    assert code_of(path) == "corrupt"


def test_looping_cross_references_should_be_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Count 1/Kids[2 0 R]>>endobj\n"
        b"xref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R/Prev 104/Size 3>>\nstartxref\n104\n%%EOF"
    )
    assert code_of(path) in {"corrupt", "no_text"}


def test_hundred_thousand_pages_should_be_too_complex(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    kids = b"3 0 R " * 100_000
    path.write_bytes(
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Kids[" + kids + b"]/Type/Pages"
        b"/Count 100000>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
        b"trailer<</Root 1 0 R>>\n"
    )
    assert code_of(path) == "too_complex"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.html", "<div>" * 100_000 + "text" + "</div>" * 100_000),
        ("b.html", "<table><tr><td>" * 50_000 + "text"),
        ("a.xml", "<a>" * 100_000 + "text" + "</a>" * 100_000),
        ("a.json", "[" * 100_000 + "]" * 100_000),
    ],
)
def test_hundred_thousand_nested_tags_should_be_too_complex(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert code_of(tmp_path / name) == "too_complex"


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]>',
    ],
)
def test_document_types_and_entities_should_be_unsafe(tmp_path: Path, declaration: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "a.xml").write_bytes(f"<?xml version='1.0'?>{declaration}<a>&x;</a>".encode(encoding))
        assert code_of(tmp_path / "a.xml") == "unsafe_xml"
    if "ENTITY" in declaration:
        path = making.docx_of(tmp_path / "a.docx", declaration + making.docx_text("&x;"))
        assert code_of(path) == "unsafe_xml"


@pytest.mark.parametrize(
    ("suffix", "streams"),
    [
        (".docx", {"EncryptedPackage": b"x", "EncryptionInfo": b"x"}),
        (".doc", {"WordDocument": struct.pack("<H8xH", 0xA5EC, 0x0100)}),
        (".ppt", {"Current User": struct.pack("<12xI", 0xF3D1C4DF), "PowerPoint Document": b"x"}),
    ],
)
def test_passwords_of_office_files_should_be_named(
    tmp_path: Path, suffix: str, streams: dict[str, bytes]
) -> None:
    assert code_of(making.ole(tmp_path / f"a{suffix}", streams)) == "encrypted"


def test_password_of_open_document_should_be_named(tmp_path: Path) -> None:
    manifest = "<m><f><encryption-data/></f></m>"
    parts = {"mimetype": BY_EXTENSION[".odt"].content_type, "META-INF/manifest.xml": manifest}
    assert code_of(making.package(tmp_path / "a.odt", parts)) == "encrypted"


def test_random_bytes_should_never_do_more_than_fail(tmp_path: Path) -> None:
    for suffix in (".pdf", ".docx", ".doc", ".hwp", ".hwpx", ".odp", ".epub", ".msg", ".xls"):
        (tmp_path / f"a{suffix}").write_bytes(os.urandom(5000))
        assert code_of(tmp_path / f"a{suffix}") in {"corrupt", "no_text"}


@pytest.mark.parametrize(
    "content", ["[" * 1_000_000, "**a " * 300_000, "`" * 1_000_000, "> " * 100_000, "|-" * 500_000]
)
def test_markdown_made_of_marks_should_end_quickly(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.md").write_text(content + "\n\nend")
    document = parse(tmp_path / "a.md", BY_EXTENSION[".md"].content_type)
    assert document.text.endswith("end")


def test_long_line_nuls_and_surrogates_should_be_read_as_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"nul\0s \xed\xa0\x80 and \xff" + b"lorem ipsum " * 400_000)
    text = parse(tmp_path / "a.txt", "text/plain").text
    assert len(text) > 4_700_000
    assert "\0" not in text
    text.encode()  # no lone surrogates
