"""A real server process and a real browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.support.servers import ROOT, answers, free_port, manage, wait_for

PEOPLE = {"admin": "admin-pass-123", "outsider": "outsider-pass-123"}
CREATE_OUTSIDER = (
    "from django.contrib.auth.models import User;"
    f"User.objects.create_user('outsider', password={PEOPLE['outsider']!r})"
)

PHONE = {"width": 375, "height": 760, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}

expect.set_options(timeout=30_000)


@dataclass(frozen=True)
class Site:
    address: str
    browser: Browser
    shell: Callable[[str], object]  # runs Python in its database

    def visit(self, name: str, *, width: int = 1180, height: int = 800, **options: object) -> Page:
        """A new window in which the person has signed in."""
        context = self.browser.new_context(
            base_url=self.address,
            viewport={"width": width, "height": height},
            **options,  # type: ignore[arg-type]
        )
        page = context.new_page()
        page.goto("/login/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(PEOPLE[name])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("searchbox")).to_be_visible()
        return page


@pytest.fixture(scope="session")
def site(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Quarry as `make run` starts it, with its demo library, an admin and somebody who may read nothing."""
    folder = tmp_path_factory.mktemp("site")
    port = free_port()
    env = os.environ | {
        "QUARRY_DATA": str(folder / "data"),
        "QUARRY_PORT": str(port),
        "QUARRY_ADMIN_PASSWORD": PEOPLE["admin"],
        "QUARRY_RERANK_DEADLINE_MS": "30000",
    }
    with manage(folder, env, "serve"):
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: answers(f"{address}/readyz"), "the server", 90)

        def shell(code: str) -> object:
            command = [sys.executable, "manage.py", "shell", "-c", code]
            return subprocess.run(command, check=True, env=env, cwd=ROOT, capture_output=True)

        shell(CREATE_OUTSIDER)
        yield Site(address, chromium, shell)


@pytest.fixture(scope="session")
def demo(site: Site) -> Site:
    """The site once its demo library is ready."""
    page = site.visit("admin")
    page.goto("/libraries/")
    page.get_by_role("link", name="Demo").click()
    expect(page.locator("#tabs")).to_contain_text(re.compile(r"pending\s*0"), timeout=120_000)
    page.context.close()
    return site


@pytest.fixture
def errors() -> Iterator[Callable[[Page], Page]]:
    """Watches a window: what its console or scripts report as an error fails the test at its end.

    htmx reports a request that a newer one replaced as an error too, which it is not.
    """
    reported: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        replaced = "htmx:sendAbort" in said.text or "htmx:afterRequest" in said.text
        if said.type == "error" and not replaced:
            reported.append(said.text)

    def watch(page: Page) -> Page:
        page.on("pageerror", lambda error: reported.append(str(error)))
        page.on("console", hear)
        return page

    yield watch
    assert reported == []


def screenshot(page: Page, name: str) -> None:
    """Keep a picture of the window where QUARRY_SCREENSHOTS names a folder for them."""
    if folder := os.environ.get("QUARRY_SCREENSHOTS"):
        path = Path(folder) / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=path, animations="disabled")
