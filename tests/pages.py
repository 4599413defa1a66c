"""What the tests of the pages share."""

from __future__ import annotations

import html
import re
from typing import Any

from django.test import Client


def client_of(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text_of(response: Any) -> str:
    """What people read: without tags, entities and runs of space."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def titles(response: Any) -> list[str]:
    """The headings of the results."""
    return [
        html.unescape(t)
        for t in re.findall(r'<h2><a class="hit"[^>]*>([^<]*)</a>', response.content.decode())
    ]


def link(response: Any, label: str) -> str:
    """The address behind a label."""
    for attributes, content in re.findall(r"<a ([^>]*)>(.*?)</a>", response.content.decode(), re.DOTALL):
        words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())
        if words == label:
            return html.unescape(re.search(r'href="([^"]*)"', attributes).group(1))  # type: ignore[union-attr]
    raise AssertionError(f"no link {label!r}")
