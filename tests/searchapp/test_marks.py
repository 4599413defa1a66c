from __future__ import annotations

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from searchapp.snippets import Snippet
from searchapp.templatetags.marks import marked


def test_marked_should_escape_inside_and_outside_of_marks() -> None:
    text = "<b>leave</b> & <script>x</script>"
    assert marked(Snippet(text, ((3, 8), (15, 23)))) == (
        "&lt;b&gt;<mark>leave</mark>&lt;/b&gt; &amp; <mark>&lt;script&gt;</mark>x&lt;/script&gt;"
    )


@given(st.text(alphabet="<>&\"'ab가</mark>", max_size=40), st.lists(st.integers(0, 40), max_size=6))
def test_marked_should_let_no_tag_through_but_its_own(text: str, cuts: list[int]) -> None:
    edges = sorted({min(cut, len(text)) for cut in cuts})
    shown = marked(Snippet(text, tuple(zip(edges[::2], edges[1::2], strict=False))))
    assert set(re.findall(r"<[^>]*>?", shown)) <= {"<mark>", "</mark>"}
    assert html.unescape(re.sub(r"</?mark>", "", shown)) == text
