"""The parser on real files of 23 kinds, from the test suites of other projects (not part of this one)."""

from __future__ import annotations

import resource
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingestion.chunking import chunk
from ingestion.parsing import ParseError, ParseLimits, parse
from ingestion.parsing.archives import archive_members
from ingestion.parsing.filetypes import ZIP
from ingestion.parsing.uploads import check_upload
from library.errors import UploadError

pytestmark = pytest.mark.data

# Scans, drawings, and files whose sheets or slides are empty.
WITHOUT_TEXT = {
    "image_only_german_pdf.pdf",
    "inline_image.pdf",
    "ocr_test_rotated_180.pdf",
    "testColorRendering.pdf",
    "testPDF_Version.11.x.PDFA-1b.pdf",
    "testPDF_jpeg2000.pdf",
    "EmbeddedAudio.pptx",
    "testODPMacro.odp",
    "testODSMacro.ods",
    "testEXCEL_embeddedPDF_mac.xls",
    "51470.xlsx",
    "container.xml",
}
CODES = {"encrypted", "corrupt", "too_complex", "no_text", "unsafe_archive", "unsafe_xml", "timeout"}
LIMITS = ParseLimits(wall_seconds=30)


def outcome(path: Path) -> str:
    """ "text", or the code of the refusal."""
    try:
        with path.open("rb") as file:
            kind = check_upload(path.name, file)
        if kind is ZIP:
            sizes = [len(read()) for _, read in archive_members(path, LIMITS)]
            return "text" if sum(sizes) else "no_text"
        document = parse(path, kind.content_type, limits=LIMITS)
    except (ParseError, UploadError) as error:
        return error.code
    assert "\ufffd" not in document.text[:100_000] or path.parts[-3] == "hostile"
    assert chunk(document)
    return "text"


def outcomes(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        pytest.skip(f"needs the documents in {folder}")
    paths = sorted(path for path in folder.glob("*/*"))
    with ThreadPoolExecutor(2) as threads:
        return dict(zip((path.name for path in paths), threads.map(outcome, paths), strict=True))


def test_every_ordinary_file_with_text_should_give_it(shared_data: Path) -> None:
    found = outcomes(shared_data / "documents" / "ordinary")
    assert len(found) > 100
    assert {name: code for name, code in found.items() if code != "text"} == dict.fromkeys(
        WITHOUT_TEXT, "no_text"
    )


def test_no_hostile_file_should_harm_the_process(shared_data: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = outcomes(shared_data / "documents" / "hostile")
    assert len(found) > 60
    assert set(found.values()) <= CODES | {"text", "type_not_allowed", "type_mismatch"}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
    locked = [
        "protected_agile.docx",
        "password_protected.xlsx",
        "password.xls",
        "testODTEncrypted.odt",
        "issue6010_1.pdf",
    ]
    assert {found[name] for name in locked} == {"encrypted"}
