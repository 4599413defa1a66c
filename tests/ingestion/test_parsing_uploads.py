"""The check at the door, by name and by first bytes; and zip files, member by member."""

from __future__ import annotations

import io
import stat
import struct
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.parsing import ParseLimits
from ingestion.parsing.archives import archive_members
from ingestion.parsing.uploads import check_upload, safe_name
from library.errors import UploadError
from tests.ingestion import making

LIMITS = ParseLimits()


def refused(name: str, content: bytes) -> tuple[str, int]:
    with pytest.raises(UploadError) as error:
        check_upload(name, io.BytesIO(content))
    return error.value.code, error.value.status


@pytest.mark.parametrize("name", ["a", "a.exe", "report.pdf.exe", "a.xlsb", "a.7z", ".pdf", "a.pdf "])
def test_types_outside_the_list_should_be_refused(name: str) -> None:
    assert refused(name, b"%PDF-1.7") == ("type_not_allowed", 415)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b"<html>"),
        ("a.txt", b"%PDF-1.7"),
        ("a.txt", b"MZ\x90\0\x03\0\0\0"),
        ("a.csv", b"\x7fELF\x02\x01"),
        ("a.html", b"PK\x03\x04zip"),
        ("a.docx", b"plain text"),
        ("a.rtf", b"{\\html}"),
        ("a.hwp", b"HWP Document File V3.00"),
        ("a.doc", b"PK\x03\x04"),
    ],
)
def test_content_that_belies_its_name_should_be_refused(name: str, content: bytes) -> None:
    assert refused(name, content) == ("type_mismatch", 415)


def test_empty_file_should_be_refused() -> None:
    assert refused("a.txt", b"") == ("empty", 400)


def test_office_files_should_be_told_apart(tmp_path: Path) -> None:
    word = making.docx_of(tmp_path / "a.docx", making.docx_text("x")).read_bytes()
    assert check_upload("a.docx", io.BytesIO(word)).label == "docx"
    assert refused("a.xlsx", word) == ("type_mismatch", 415)
    assert refused("a.odt", making.package(tmp_path / "b", {"mimetype": "application/epub+zip"}).read_bytes())
    macro = making.docx_of(tmp_path / "c", making.docx_text("x"), **{"word/vbaProject.bin": "x"}).read_bytes()
    assert refused("a.docx", macro) == ("type_mismatch", 415)
    assert check_upload("a.docm", io.BytesIO(macro)).label == "docm"  # macros are not read
    assert check_upload("a.dotx", io.BytesIO(word)).label == "docx"


def test_ole_files_should_be_told_apart(tmp_path: Path) -> None:
    word = making.ole(tmp_path / "a", {"WordDocument": b"x", "1Table": b"x"}).read_bytes()
    assert check_upload("a.doc", io.BytesIO(word)).label == "doc"
    assert refused("a.xls", word) == ("type_mismatch", 415)
    assert refused("a.docx", word) == ("type_mismatch", 415)
    locked = making.ole(tmp_path / "b", {"EncryptedPackage": b"x"}).read_bytes()
    assert check_upload("a.docx", io.BytesIO(locked)).label == "docx"  # the parser says `encrypted`


@pytest.mark.parametrize(
    "content", [b"MZ is short for Mark Zbikowski", b"nul \0 inside", "한글".encode("cp949")]
)
def test_any_text_should_pass_as_text(content: bytes) -> None:
    stream = io.BytesIO(content)
    assert check_upload("Notes.TXT", stream).content_type == "text/plain"
    assert stream.tell() == 0


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("휴가 규정.hwp", "휴가 규정.hwp"),
        ("C:\\Users\\kim\\plan.pdf", "plan.pdf"),
        ("folder/plan.pdf", "plan.pdf"),
        ('a"b\r\nc.pdf', "a_b c.pdf"),
        ("gpj.\u202efdp.exe", "gpj.fdp.exe"),
        ("a<script>.txt", "a_script_.txt"),
        ("cafe\u0301.txt", "café.txt"),
        ("  .hidden.txt. ", "hidden.txt"),
        ("\ud800a.txt", "a.txt"),
    ],
)
def test_names_should_be_made_safe_and_stay_recognisable(name: str, shown: str) -> None:
    assert safe_name(name) == shown


@pytest.mark.parametrize(
    "name", ["a\0.pdf", "../a.pdf", "a/../b.pdf", "CON.txt", "lpt1", "", " . ", "x" * 300 + ".pdf"]
)
def test_names_beyond_saving_should_be_refused(name: str) -> None:
    with pytest.raises(UploadError) as error:
        safe_name(name)
    assert (error.value.code, error.value.status) == ("bad_name", 400)


def members(path: Path, limits: ParseLimits = LIMITS) -> dict[str, bytes]:
    return {name: read() for name, read in archive_members(path, limits)}


def unsafe(path: Path, limits: ParseLimits = LIMITS) -> str:
    with pytest.raises(UploadError) as error:
        members(path, limits)
    assert error.value.status == 400
    return error.value.code


def test_archive_should_give_its_files_and_skip_litter_and_links(tmp_path: Path) -> None:
    path = making.package(
        tmp_path / "a.zip", {"2024/휴가.txt": "one", "b.txt": "two", "__MACOSX/._b": "x", "d/": ""}
    )
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    assert members(path) == {"2024/휴가.txt": b"one", "b.txt": b"two"}


@pytest.mark.parametrize(
    "name", ["../a.txt", "/etc/a.txt", "a/../../b.txt", "C:\\a.txt", "..\\a.txt", "inner.zip", "x.tar.gz"]
)
def test_archive_with_names_that_leave_it_or_archives_in_it_should_be_unsafe(
    tmp_path: Path, name: str
) -> None:
    assert unsafe(making.package(tmp_path / "a.zip", {"ok.txt": "x", name: "y"})) == "unsafe_archive"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_archive_with_a_name_twice_should_be_unsafe(tmp_path: Path) -> None:
    path = making.package(tmp_path / "a.zip", {"a.txt": "x"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("a.txt", "y")
    assert unsafe(path) == "unsafe_archive"


def test_archive_beyond_its_caps_should_be_unsafe(tmp_path: Path) -> None:
    many = making.package(tmp_path / "many.zip", {f"{i}.txt": "x" for i in range(50)})
    assert unsafe(many, replace(LIMITS, archive_entries=49)) == "unsafe_archive"
    bomb = making.package(tmp_path / "bomb.zip", {"a.txt": "a" * 30_000_000})
    assert unsafe(bomb) == "unsafe_archive"
    assert unsafe(many, replace(LIMITS, archive_bytes=10)) == "unsafe_archive"


def test_archive_whose_headers_disagree_should_be_unsafe(tmp_path: Path) -> None:
    path = making.package(tmp_path / "a.zip", {"good.txt": "x"})
    path.write_bytes(path.read_bytes().replace(b"good.txt", b"evil.exe", 1))
    assert unsafe(path) == "unsafe_archive"


def test_broken_archives_should_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 no more")
    assert unsafe(tmp_path / "a.zip") == "corrupt"
    locked = bytearray(making.package(tmp_path / "b.zip", {"a.txt": "x"}).read_bytes())
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "b.zip").write_bytes(locked)
    assert unsafe(tmp_path / "b.zip") == "encrypted"


def entries(path: Path, count: int, claimed: int | None = None) -> Path:
    """A zip of `count` entries without content, whose end record claims another number."""
    directory = b"".join(
        struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 3, 20, 0, *[0] * 4, 0, 0, 0, 7, *[0] * 4, 0, 0)
        + b"%07d" % number
        for number in range(count)
    )
    told = count if claimed is None else claimed
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, min(told, 0xFFFF), min(told, 0xFFFF), len(directory), 0, 0
    )
    path.write_bytes(directory + end)
    return path


@pytest.mark.parametrize("claimed", [None, 1])
def test_a_directory_of_many_entries_should_be_refused_before_it_is_read(
    tmp_path: Path, claimed: int | None
) -> None:
    path = entries(tmp_path / "a.zip", 200_000, claimed)
    started = time.perf_counter()
    assert unsafe(path) == "unsafe_archive"
    office = b"PK\x03\x04" + path.read_bytes()
    assert check_upload("a.docx", io.BytesIO(office)).label == "docx"  # the parser names what is wrong
    assert time.perf_counter() - started < 0.5  # zipfile alone takes several seconds for it


def test_a_short_directory_may_not_hide_many_entries(tmp_path: Path) -> None:
    path = entries(tmp_path / "a.zip", 60, claimed=1)
    assert unsafe(path, replace(LIMITS, archive_entries=50)) == "unsafe_archive"


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
def test_a_member_that_does_not_unpack_should_be_corrupt(tmp_path: Path, method: int) -> None:
    assert unsafe(broken(tmp_path / "a.zip", "a.txt", method)) == "corrupt"


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("kind", ["epub", "hwpx", "odt"])
def test_a_mimetype_that_does_not_unpack_should_be_left_to_the_parser(
    tmp_path: Path, kind: str, method: int
) -> None:
    content = broken(tmp_path / "a.zip", "mimetype", method).read_bytes()
    assert check_upload(f"a.{kind}", io.BytesIO(content)).label == kind


def broken(path: Path, name: str, method: int) -> Path:
    """A zip whose member has an intact header and damaged content."""
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, "application/pdf " * 40)
        size = archive.getinfo(name).compress_size
    data = bytearray(path.read_bytes())
    start = 30 + len(name) + 9  # after LZMA's header
    data[start : start + size - 9] = b"\xff" * (size - 9)
    path.write_bytes(data)
    return path
