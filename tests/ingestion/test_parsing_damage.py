"""Damaged files of the readers of our own end with text or a named refusal, whatever the damage is.

QUARRY_FUZZ_EXAMPLES sets how many damages are tried of each kind; a long round takes some thousands.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.filetypes import BY_EXTENSION
from ingestion.parsing.readers import READERS
from ingestion.parsing.types import ParseError, ParseLimits
from tests.ingestion import making
from tests.ingestion.word import item, levels, numbering, p, run, tbl, word

EXAMPLES = int(os.environ.get("QUARRY_FUZZ_EXAMPLES", "40"))
PAGE = (
    b"<body><nav>x</nav><main><h1>T</h1><ol start=3><li>a<li>b</ol><table><tr><td rowspan=2>c<td>d"
    b"<tr><td>e</table><pre> f\n g</pre></main></body>"
)
NOTES = (
    b"---\ntitle: T\ntags: [a, b]\n---\n# H\n\n- [x] a\n  1. b\n\n"
    b"|a|b|\n|-|-|\n|c|d|\n\n[^1] `x`\n\n[^1]: n\n"
)

Damage = tuple[float, int, bytes]
damages = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 30), st.binary(max_size=8)), min_size=1, max_size=6
)


def damaged(data: bytes, damage: list[Damage]) -> bytes:
    """The data with some bytes replaced by others, at places given as shares of its length."""
    for share, size, new in damage:
        at = int(share * len(data))
        data = data[:at] + new + data[at + size :]
    return data


def read(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        builder = TextBuilder(ParseLimits())
        try:
            READERS[BY_EXTENSION[path.suffix].content_type](path, builder)
        except ParseError as error:
            assert error.message
        builder.build()


@pytest.mark.parametrize(("name", "content"), [("a.html", PAGE), ("a.md", NOTES)])
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(damage=damages)
def test_damaged_pages_should_end_in_good_order(name: str, content: bytes, damage: list[Damage]) -> None:
    read(name, damaged(content, damage))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(damage=damages)
def test_damaged_hwp_records_should_end_in_good_order(damage: list[Damage]) -> None:
    records = [*making.hwp_paragraph("휴가", style=1), *making.hwp_table([["구분", "일수"], ["연차", "15"]])]
    with tempfile.TemporaryDirectory() as folder:
        path = making.hwp(Path(folder) / "a.hwp", records, flags=0)
        data = path.read_bytes()
    read("a.hwp", data[:512] + damaged(data[512:], damage))


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    damage=damages, names=st.permutations(["w:p", "w:tbl", "w:tr", "w:tc", "w:r", "w:t", "w:numPr", "w:del"])
)
def test_damaged_word_xml_should_end_in_good_order(damage: list[Damage], names: list[str]) -> None:
    body = item("a", 0) + tbl(["b", "c"], ["d", "e"]) + p(run("f") + "<w:del/>")
    body = body.replace(names[0], "w:x").replace(names[1], names[0]).replace("w:x", names[1])
    lists = damaged(numbering(levels("decimal %1.", "lowerRoman (%2)")).encode(), damage)
    with tempfile.TemporaryDirectory() as folder:
        parts = {"numbering.xml": ("numbering", lists.decode("utf-8", "replace"))}
        data = word(Path(folder) / "a.docx", body, parts).read_bytes()
    read("a.docx", data)
