"""Every main page on a desk, on a phone and in the dark: nothing sticks out, nothing is reported broken."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Site, screenshot

pytestmark = pytest.mark.browser

QUESTION = "Am I allowed to fly business class to Seoul?"
SHAPES = {"desk": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}

# What the documentation shows, as QUARRY_SCREENSHOTS=docs/images renews it.
PICTURES = {
    ("search", "desk"): "search",
    ("results", "desk"): "results",
    ("results", "dark"): "results-dark",
    ("results", "phone"): "phone",
    ("document", "desk"): "document",
    ("library", "desk"): "library",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_pages_should_fit_their_window(demo: Site, shape: str, errors: Callable[[Page], Page]) -> None:
    page = errors(demo.visit("admin", **SHAPES[shape]))  # type: ignore[arg-type]

    def looks(name: str) -> None:
        root = page.locator("html")  # waits for it where the page is still being fetched
        overflow = root.evaluate("root => root.scrollWidth - root.clientWidth")
        assert overflow == 0, f"{name} is {overflow} px wider than the window"
        if picture := PICTURES.get((name, shape)):
            screenshot(page, picture)

    looks("search")
    page.get_by_role("link", name=QUESTION).click()
    expect(page.locator(".group h2").first).to_have_text("Travel policy")
    looks("results")
    page.locator(".hit").first.click()
    expect(page.locator("#passage")).to_be_in_viewport()
    looks("document")
    page.goto("/libraries/")
    looks("libraries")
    page.get_by_role("link", name="Demo").click()
    looks("library")
    page.goto("/account/")
    looks("account")
