"""The main job in a real browser: upload, see it become ready, search, narrow, read, download."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import docx
import pytest
from playwright.sync_api import Page, expect
from reportlab.pdfgen.canvas import Canvas

from tests.browser.conftest import Site

pytestmark = pytest.mark.browser

Watch = Callable[[Page], Page]
KOREAN = "회의실 예약은 총무팀에 신청합니다. 대회의실은 하루 전에 예약해야 합니다."


def pdf() -> bytes:
    out = io.BytesIO()
    canvas = Canvas(out)
    for sentence in ("The telescope stands on the north roof.", "Its mirror is cleaned every spring."):
        canvas.drawString(72, 720, sentence)
        canvas.showPage()
    canvas.save()
    return out.getvalue()


def word() -> bytes:
    out, document = io.BytesIO(), docx.Document()
    document.add_heading("Observatory rules", 1)
    document.add_paragraph("Visitors book the telescope a week ahead. The dome closes in rain.")
    document.save(out)
    return out.getvalue()


def files() -> list[dict[str, object]]:
    return [
        {"name": "telescope.pdf", "mimeType": "application/pdf", "buffer": pdf()},
        {"name": "rules.docx", "mimeType": "application/octet-stream", "buffer": word()},
        {"name": "회의실.txt", "mimeType": "text/plain", "buffer": KOREAN.encode()},
        {"name": "setup.exe", "mimeType": "application/octet-stream", "buffer": b"MZ"},
    ]


@pytest.fixture(scope="module")
def library(site: Site) -> str:
    """The address of a library with three kinds of files, uploaded by the page and seen to become ready."""
    page = site.visit("admin")
    page.get_by_role("link", name="Libraries").click()
    page.get_by_label("Name").fill("Observatory")
    page.get_by_role("button", name="Create").click()
    page.locator("input[type=file]").set_input_files(files())  # type: ignore[arg-type]
    outcomes = page.locator("#outcomes li")
    expect(outcomes).to_have_count(4)
    expect(outcomes.filter(has_text="stored; it is being read")).to_have_count(3)
    expect(outcomes.filter(has_text="setup.exe")).to_contain_text("Files of this type are not accepted")
    expect(page.locator("td.state.ready")).to_have_count(3)
    expect(page.locator("#tabs")).to_contain_text(re.compile(r"ready\s*3"))
    assert page.locator("#poll[hx-get]").count() == 0, "the page polls for what is ready"
    address = page.url
    page.context.close()
    return address


def test_search_should_find_narrow_open_and_download(site: Site, library: str, errors: Watch) -> None:
    page = errors(site.visit("admin"))
    page.get_by_role("searchbox").blur()
    page.keyboard.press("/")
    page.keyboard.type("book the telescope", delay=20)
    expect(page.locator(".group h2").first).to_have_text("Observatory rules")  # while typing
    expect(page).to_have_url(re.compile(r"\?q=book\+the\+telescope$"))
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text(re.compile(r"^\s*(At least )?\d+ documents?\s*$"))
    expect(page.locator(".snippet mark").first).to_be_visible()

    page.get_by_role("navigation", name="Filters").get_by_role("link", name="PDF").click()
    expect(page).to_have_url(re.compile("type=pdf"))
    expect(page.locator(".kind", has_text="docx")).to_have_count(0)
    page.go_back()
    expect(page.locator(".group h2").first).to_have_text("Observatory rules")
    page.go_forward()
    expect(page.get_by_role("link", name="Remove the filter PDF")).to_be_visible()
    page.get_by_role("link", name="Remove the filter PDF").click()
    expect(page.locator(".group h2").first).to_have_text("Observatory rules")

    page.get_by_role("searchbox").focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".hit").first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".hit").nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Observatory rules")
    expect(page.locator("#passage")).to_be_in_viewport()
    expect(page.locator("mark", has_text="telescope").first).to_be_visible()

    with page.expect_download() as download:
        page.get_by_role("link", name="Download the original").click()
    assert download.value.suggested_filename == "rules.docx"
    assert download.value.path().read_bytes()[:2] == b"PK"
    page.get_by_role("link", name="← Results").click()
    expect(page.get_by_role("searchbox")).to_have_value("book the telescope")


def test_korean_should_be_found_in_korean(site: Site, library: str, errors: Watch) -> None:
    page = errors(site.visit("admin"))
    page.get_by_role("searchbox").fill("대회의실은 언제 예약하나요")
    page.keyboard.press("Enter")
    expect(page.locator(".group .kind").first).to_have_text("txt")
    expect(page.locator(".group").first).to_contain_text("하루 전에 예약해야")


def test_an_outsider_should_find_nothing(site: Site, library: str) -> None:
    page = site.visit("outsider")
    page.get_by_role("searchbox").fill("book the telescope")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text("Nothing found")
    assert "Observatory" not in page.content()
    answer = page.goto(library)
    assert answer is not None and answer.status == 404
    expect(page.get_by_role("heading", level=1)).to_have_text("Not here")


def test_search_and_upload_should_work_without_javascript(site: Site, library: str) -> None:
    page = site.visit("admin", java_script_enabled=False)
    page.goto(library)
    note = {
        "name": "note.md",
        "mimeType": "text/markdown",
        "buffer": b"# Note\n\nThe flashlight is in drawer nine.",
    }
    page.locator("input[type=file]").set_input_files([note])  # type: ignore[list-item]
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#outcomes")).to_contain_text("note.md stored")
    page.goto(f"{library}?name=note")
    expect(page.locator("td.state.ready")).to_have_count(1)  # the page reloads itself
    page.goto("/")
    page.get_by_role("searchbox").fill("where is the flashlight")
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".group h2").first).to_have_text("Note")
    page.get_by_role("link", name="Note", exact=True).click()
    expect(page.locator("#passage")).to_be_in_viewport()


def test_a_document_should_be_deleted_where_it_is_listed(site: Site, library: str, errors: Watch) -> None:
    page = errors(site.visit("admin"))
    page.goto(library)
    row = page.locator("tr", has_text="회의실.txt")
    row.get_by_text("Delete…").click()
    row.get_by_role("button", name="Delete for good").click()
    expect(page.locator("#messages")).to_contain_text("“회의실.txt” is deleted.")
    expect(row).to_have_count(0)
