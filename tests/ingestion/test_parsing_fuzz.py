"""Files that hypothesis makes: a reader ends with text or a named refusal, and no crash escapes the child.

Five examples of each kind in a usual run; `QUARRY_FUZZ_EXAMPLES=5000` makes it a longer one.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.parsing import ParseError, parse
from ingestion.parsing.filetypes import CSV, EML, MSG, ODS, RTF, XLS, XLSX
from ingestion.parsing.types import MESSAGES
from tests.ingestion import making

EXAMPLES = int(os.environ.get("QUARRY_FUZZ_EXAMPLES", "5"))
fuzzed = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def outcome(content: bytes, content_type: str) -> str:
    """Text, or the code of the refusal. Anything else is raised."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        try:
            document = parse(Path(file.name), content_type)
        except ParseError as error:
            assert error.code in MESSAGES
            return error.code
    document.text.encode()
    for start, header_end, end in document.tables:
        assert 0 <= start <= header_end <= end <= len(document.text)
    for heading in document.headings:
        assert document.text.startswith(heading.text, heading.start)
    return document.text


def pieces(*tokens: str | bytes) -> st.SearchStrategy[bytes]:
    """Tokens of a language, among random bytes and numbers."""
    fixed = [token if isinstance(token, bytes) else token.encode() for token in tokens]
    numbers = st.integers(-(2**40), 2**40).map(lambda number: str(number).encode())
    return st.lists(st.one_of(st.sampled_from(fixed), numbers, st.binary(max_size=8)), max_size=60).map(
        b"".join
    )


@fuzzed
@given(
    pieces(
        "\\par ",
        "{",
        "}",
        "\\u",
        "\\'",
        "\\*",
        "\\bin",
        "\\fonttbl",
        "\\f",
        "\\cell",
        "\\row",
        "\\footnote ",
        "\\stylesheet",
        "\\s",
        "\\info",
        "\\title ",
        "\\fromhtml1 ",
        "\\htmltag ",
        "\\uc",
        "\\upr",
        "\\ud",
    )
)
def test_rtf(content: bytes) -> None:
    outcome(b"{\\rtf1 " + content, RTF.content_type)


@fuzzed
@given(
    pieces(
        "Subject: ",
        "From: a\n",
        "\n\n",
        "\n--b\n",
        "\n--b--\n",
        "Content-Type: multipart/mixed; boundary=b\n",
        "Content-Type: message/rfc822\n",
        "Content-Type: text/html; charset=",
        "=?utf-8?b?",
        "?=",
        "Date: ",
        "Content-Transfer-Encoding: base64\n",
        'Content-Disposition: attachment; filename="a.csv"\n',
        "Content-Type: application/ms-tnef\n",
        "Content-Type: multipart/alternative; boundary=b\n",
    )
)
def test_mail(content: bytes) -> None:
    outcome(content, EML.content_type)


@fuzzed
@given(pieces('"', ",", ";", "\t", "\n", "\r", "sep=;\n", "\\", "a", "1,5", "\0"))
def test_csv(content: bytes) -> None:
    outcome(content, CSV.content_type)


@fuzzed
@given(
    pieces(
        '<row r="',
        '"/>',
        '">',
        "</row>",
        '<c t="s" r="',
        '<c t="n" s="',
        '<c t="b">',
        "<v>",
        "</v>",
        "</c>",
        '<mergeCell ref="A1:B',
        "A",
        "1e400",
        "nan",
        "<is><t>",
        "</t></is>",
        "_x0000_",
    ),
    st.text(max_size=40),
)
def test_xlsx(rows: bytes, code: str) -> None:
    link = '<Relationship Id="{0}" Type="x/{0}" Target="{1}"/>'
    links = link.format("worksheet", "s.xml") + link.format("styles", "t.xml")
    quoted = quoteattr("".join(c for c in code if c.isprintable()))
    style = '<xf numFmtId="9"/>'
    with tempfile.TemporaryDirectory() as folder:
        path = making.package(
            Path(folder, "a"),
            {
                "_rels/.rels": f"<r>{link.format('officeDocument', 'xl/w.xml')}</r>",
                "xl/w.xml": '<w xmlns:r="r"><sheet name="S" r:id="worksheet"/></w>',
                "xl/_rels/w.xml.rels": f"<r>{links}</r>",
                "xl/s.xml": b"<w><row><c s='0'><v>46205.5</v></c></row>" + rows + b"</w>",
                "xl/t.xml": f"<s><numFmt numFmtId='9' formatCode={quoted}/><cellXfs>{style}</cellXfs></s>",
            },
        )
        outcome(path.read_bytes(), XLSX.content_type)


@fuzzed
@given(
    pieces(
        '<t:table t:name="a">',
        "</t:table>",
        "<t:table-row>",
        "</t:table-row>",
        "<t:table-cell>",
        "<p>",
        "</p>",
        "</t:table-cell>",
        '<t:table-cell t:number-columns-repeated="',
        '" t:number-rows-spanned="',
        '">',
        "<s/>",
        "<annotation>",
        "</annotation>",
    )
)
def test_ods(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        parts = {"content.xml": b'<d xmlns:t="t">' + content + b"</d>"}
        outcome(making.package(Path(folder, "a"), parts).read_bytes(), ODS.content_type)


@fuzzed
@given(
    st.sampled_from(["Workbook", "Book"]),
    st.lists(
        st.tuples(
            st.sampled_from(
                [0x809, 0x0A, 0x85, 0x3C, 0x5D, 0x1B6, 0x100D, 0xFC, 0x203, 0x204, 0x208, 0xE0, 0x31, 0x41E]
            ),
            st.binary(max_size=40),
        ),
        max_size=20,
    ),
)
def test_xls(name: str, records: list[tuple[int, bytes]]) -> None:
    stream = bytes.fromhex("0908100000060500bb0dcc0700000000060000" + "00") + b"".join(
        kind.to_bytes(2, "little") + len(data).to_bytes(2, "little") + data for kind, data in records
    )
    with tempfile.TemporaryDirectory() as folder:
        outcome(making.ole(Path(folder, "a"), {name: stream}).read_bytes(), XLS.content_type)


@fuzzed
@given(
    st.dictionaries(
        st.sampled_from(["0037001F", "0037001E", "1000001E", "10130102", "10090102", "0C1A001E"]),
        st.binary(max_size=200),
    ),
    st.binary(max_size=100),
)
def test_msg(streams: dict[str, bytes], properties: bytes) -> None:
    parts = {"__properties_version1.0": bytes(32) + properties}
    parts |= {f"__substg1.0_{name}": data for name, data in streams.items()}
    with tempfile.TemporaryDirectory() as folder:
        outcome(making.ole(Path(folder, "a"), parts).read_bytes(), MSG.content_type)


@pytest.mark.parametrize("content_type", [XLS.content_type, MSG.content_type])
def test_file_that_is_cut_should_fail_and_not_crash(content_type: str, tmp_path: Path) -> None:
    streams = {"Workbook": bytes(9000), "__properties_version1.0": bytes(5000)}
    whole = making.ole(tmp_path / "a", streams).read_bytes()
    for size in (600, 2000, len(whole) // 2, len(whole) - 512):
        assert outcome(whole[:size], content_type) in {"corrupt", "no_text"}
