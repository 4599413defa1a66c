"""What a person does first, in a browser: sign in, make a library, upload, find.

The same for processes and for containers.
"""

from __future__ import annotations

import re
import urllib.request

from playwright.sync_api import Browser, Response, expect

PAGES = ("/login/", "/", "/libraries/", "/account/", "/quality/", "/api/v1/docs", "/admin/")


def first_day(browser: Browser, address: str, password: str) -> str:
    """All pages of a person at `address`; returns their HTML. Raises AssertionError for what is not there."""
    context = browser.new_context(base_url=address)
    page = context.new_page()
    failed: list[str] = []

    def hear(response: Response) -> None:
        if response.status >= 400:
            failed.append(f"{response.status} {response.url}")

    page.on("response", hear)
    page.goto("/login/")
    html = [page.content()]
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("searchbox")).to_be_visible()
    for path in PAGES[1:]:
        page.goto(path)
        html.append(page.content())

    page.goto("/libraries/")
    page.get_by_label("Name").fill("Observatory")
    page.get_by_role("button", name="Create").click()
    text = b"Visitors book the telescope a week ahead."
    page.locator("input[type=file]").set_input_files(
        [{"name": "rules.txt", "mimeType": "text/plain", "buffer": text}]
    )
    expect(page.locator("td.state.ready")).to_have_count(1, timeout=60_000)
    page.goto("/?q=telescope+visitors")
    expect(page.locator(".group h2").first).to_contain_text("rules")
    html.append(page.content())
    context.close()
    assert failed == []
    return "".join(html)


def static_files_should_load(address: str, html: str) -> None:
    """Every static file that the pages name is there, for ever, and compressed."""
    paths = set(re.findall(r'["\'](/static/[^"\']+)', html))
    assert {path.rsplit(".", 1)[-1] for path in paths} >= {"css", "js", "svg"}
    for path in paths:
        request = urllib.request.Request(address + path, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=10) as response:
            assert "immutable" in response.headers["Cache-Control"], path
            assert response.headers["Content-Encoding"] == "gzip" or len(response.read()) < 1000, path
