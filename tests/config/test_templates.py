from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

LONGEST_LINE = 120
# Pictures (SVG) and the words of a document: white space between their elements would be shown.
EXEMPT = {"learning", "_pieces.html"}
TEMPLATES = [
    path for path in Path(settings.BASE_DIR, "templates").rglob("*.html") if not EXEMPT & set(path.parts)
]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_lines_of_templates_should_be_short_and_without_tabs(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    wrong = [number for number, line in enumerate(lines, 1) if len(line) > LONGEST_LINE or "\t" in line]
    assert wrong == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_tags_should_end_in_their_line(path: Path) -> None:
    """Django shows one that does not as text."""
    for line in path.read_text(encoding="utf-8").splitlines():
        assert line.count("{{") == line.count("}}") and line.count("{%") == line.count("%}"), line
