"""Markdown and HTML: code as it is written, fields of the front matter, pages without their navigation."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from ingestion.parsing import ParsedDocument, parse
from ingestion.parsing.filetypes import BY_EXTENSION


def parsed(folder: Path, name: str, content: str) -> ParsedDocument:
    (folder / name).write_text(content)
    return parse(folder / name, BY_EXTENSION[Path(name).suffix].content_type)


def text(folder: Path, name: str, content: str) -> str:
    return parsed(folder, name, content).text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Use `<strong>` for `<b>`.", "Use <strong> for <b>."),
        ("`__init__.py` takes `**kwargs`", "__init__.py takes **kwargs"),
        (r"In `C:\temp\[old]` and `&nbsp;`", r"In C:\temp\[old] and &nbsp;"),
        ("A List<T> of <your name>, <b>bold</b>", "A List<T> of <your name>, bold"),
        ("R&amp;D &lt; 5 and 2 * 3 * 4", "R&D < 5 and 2 * 3 * 4"),
        ("See [[Pumps|the pump]] and ==marked==", "See the pump (Pumps) and marked"),
        ("one<br>two", "one\ntwo"),
    ],
)
def test_markdown_should_keep_what_is_written(tmp_path: Path, line: str, shown: str) -> None:
    assert text(tmp_path, "a.md", line) == shown


def test_markdown_lists_notes_and_code_should_keep_their_shape(tmp_path: Path) -> None:
    source = "A claim.[^x]\n\n- [x] done\n- open\n    1. inner\n    2. last\n\n3. third\n\n"
    source += "        indented(code)\n\n```\n    x = 1\n\n    y\n```\n\n[^x]: The source\n"
    assert text(tmp_path, "a.md", source).split("\n\n") == [
        "A claim.",
        "- [x] done\n- open\n  1. inner\n  2. last",
        "3. third",
        "indented(code)",
        "x = 1",
        "    y",
        "[x] The source",
    ]


def test_front_matter_should_be_fields(tmp_path: Path) -> None:
    fields = "title: 'Pumps: a guide'\ndate: 2024-05-02\ntags: [valve, pump]\nowner:\n  name: Kim"
    document = parsed(tmp_path, "a.md", f"---\n{fields}\n---\nText.")
    assert (document.title, document.date) == ("Pumps: a guide", datetime.date(2024, 5, 2))
    assert document.text == "tags: valve, pump\nowner.name: Kim\n\nText."
    document = parsed(tmp_path, "b.md", '+++\ntitle = "Pumps"\ndraft = true\n+++\nText.')
    assert (document.title, document.text) == ("Pumps", "draft: True\n\nText.")


@pytest.mark.parametrize("fields", ["a: [b", "a: &x [1, 1]\nb: [*x, *x]", "just words"])
def test_front_matter_that_is_none_should_stay_text(tmp_path: Path, fields: str) -> None:
    assert fields in text(tmp_path, "a.md", f"---\n{fields}\n---\nText.")


def test_deeply_nested_and_long_markdown_should_keep_its_text(tmp_path: Path) -> None:
    assert "word" in text(tmp_path, "a.md", "- " * 5000 + "word")
    lists = "".join("  " * level + f"- level{level}\n" for level in range(40))
    assert "level39" in text(tmp_path, "b.md", lists)
    fenced = "```\n" + "code **x** \n\n" * 20_000 + "```\n\n*end*"
    found = text(tmp_path, "c.md", fenced)
    assert found.count("code **x**") == 20_000 and found.endswith("end")


NAVIGATION = "<nav><ul><li><a href='/'>Home</a></li></ul></nav>"


def test_a_page_should_give_its_main_part(tmp_path: Path) -> None:
    page = f"<body>{NAVIGATION}<main><p>Open at nine.</p></main><footer>Imprint</footer></body>"
    assert text(tmp_path, "a.html", page) == "Open at nine."
    story = "<p>A long story of the pump that was repaired.</p>"
    page = f"<body>{NAVIGATION}<div>News</div><article><header><h1>Pump</h1></header>{story}</article></body>"
    assert text(tmp_path, "b.html", page) == "Pump\n\nA long story of the pump that was repaired."


def test_a_page_without_main_should_lose_navigation_and_banners(tmp_path: Path) -> None:
    page = (
        f"<body><header>{NAVIGATION}</header><div id='cookie-banner'><p>We use cookies.</p></div>"
        "<h1>Rules</h1><p>Open at nine, closed at five, on every day of the week.</p><aside>Follow us</aside>"
        "<footer>Imprint</footer></body>"
    )
    assert (
        text(tmp_path, "a.html", page) == "Rules\n\nOpen at nine, closed at five, on every day of the week."
    )


def test_a_page_that_is_only_navigation_should_keep_its_text(tmp_path: Path) -> None:
    assert text(tmp_path, "a.html", f"<body>{NAVIGATION}</body>") == "- Home"
    article = f"<div class='cookie-policy'><h1>Cookies</h1><p>{'We bake them daily. ' * 20}</p></div>"
    assert "bake them" in text(tmp_path, "b.html", f"<body>{article}</body>")


def test_html_code_lists_and_symbols_should_be_as_written(tmp_path: Path) -> None:
    page = (
        "<p>Use <code>&lt;b&gt;</code> &amp; <code>a_b</code>, **not** <kbd>*</kbd></p>"
        "<pre>if x:\n    y[0] = 1\n\n</pre>"
        "<ol type=a start=2><li>two<ul><li>inner</li></ul></li><li value=7><p>seven</p></li></ol>"
        "<dl><dt>Term</dt><dd>meaning</dd></dl><script>bad()</script><button>Send</button>"
    )
    assert text(tmp_path, "a.html", page).split("\n\n") == [
        "Use <b> & a_b, **not** *",
        "if x:\n    y[0] = 1",
        "b. two\n- inner\ng. seven",
        "Term\nmeaning",
    ]


def test_html_tables_should_hold_data_or_only_a_layout(tmp_path: Path) -> None:
    data = (
        "<table><caption>Stock</caption><thead><tr><th>Group</th><th>Part</th></tr></thead>"
        "<tr><td rowspan=2>Steel</td><td>bolt<br>M4</td></tr><tr><td>nut</td></tr></table>"
    )
    page = f"<table><tr><td><h1>Title</h1></td><td><p>Aside.</p>{data}</td></tr></table>"
    document = parsed(tmp_path, "a.html", page)
    assert document.text == "Title\n\nAside.\n\nStock\n\nGroup | Part\nSteel | bolt M4\nSteel | nut"
    assert len(document.tables) == 1


def test_a_large_page_should_be_read_in_pieces(tmp_path: Path) -> None:
    page = "<title>Log</title>" + "".join(f"<p>entry number {n} of the log</p>\n" for n in range(300_000))
    document = parsed(tmp_path, "a.html", page)
    assert document.title == "Log"
    assert document.text.count("of the log") == 300_000
