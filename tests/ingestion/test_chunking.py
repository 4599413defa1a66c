"""Passages follow the structure, keep their place, and cover the text whatever it is."""

from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.chunking import LONGEST_WORD, ChunkSpan, chunk, count_words
from ingestion.parsing import Heading, Page, ParsedDocument, Table
from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.types import ParseLimits

SENTENCE = "The committee agreed that travel costs are paid within two weeks. "


def built(*blocks: tuple[str, str] | tuple[str, list[list[str]]] | int) -> ParsedDocument:
    """A document of ("h1", text), ("p", text), ("t", rows) and page numbers."""
    builder = TextBuilder(ParseLimits())
    for block in blocks:
        if isinstance(block, int):
            builder.page(block)
        elif isinstance(block[1], list):
            builder.table(block[1])
        elif block[0] == "p":
            builder.paragraph(block[1])
        else:
            builder.heading(int(block[0][1]), block[1])
    return builder.build()


def test_short_document_should_stay_whole() -> None:
    (only,) = chunk(built(("p", "Leave is 25 days."), ("p", "Ask early.")))
    assert only == ChunkSpan(0, "Leave is 25 days.\n\nAsk early.", 0, 29, None, "")


def test_empty_document_should_give_nothing() -> None:
    assert chunk(ParsedDocument("")) == []
    assert chunk(ParsedDocument("\n\n ")) == []


def test_long_text_should_be_split_at_sentences_with_overlap() -> None:
    spans = chunk(built(("p", SENTENCE * 100)))
    assert len(spans) > 5
    assert all(span.text.startswith("The committee") and span.text.endswith("weeks.") for span in spans)
    assert all(90 <= count_words(span.text) <= 180 for span in spans)
    overlaps = [first.end - second.start for first, second in pairwise(spans)]
    assert all(0 < overlap < 0.2 * len(spans[0].text) for overlap in overlaps)


def test_korean_should_count_two_characters_a_word() -> None:
    assert count_words("연차휴가 15일") == 4
    spans = chunk(built(("p", "연차 휴가는 일 년에 십오 일이며 미리 신청한다. " * 100)))
    assert all(100 <= count_words(span.text) <= 216 for span in spans)
    assert all(span.text.endswith("한다.") for span in spans)


def test_sections_should_not_share_a_passage_unless_short() -> None:
    spans = chunk(built(("h1", "Leave"), ("p", SENTENCE * 15), ("h1", "Travel"), ("p", SENTENCE * 15)))
    assert [span.heading for span in spans] == ["Leave", "Travel"]


def test_short_sections_should_join_under_the_heading_they_share() -> None:
    document = built(
        ("h1", "Rules"),
        ("p", "Read all."),
        ("h2", "Leave"),
        ("p", "25 days."),
        ("h2", "Pay"),
        ("p", "Monthly."),
    )
    (only,) = chunk(document)
    assert only.heading == "Rules"
    assert only.text == document.text


def test_heading_should_go_with_the_text_that_follows_it() -> None:
    spans = chunk(built(("h1", "Rules"), ("h2", "Leave"), ("p", SENTENCE * 40)))
    assert spans[0].text.startswith("Rules\n\nLeave\n\nThe committee")
    assert {span.heading for span in spans} == {"Rules > Leave"}


def test_passages_should_not_cross_pages() -> None:
    spans = chunk(built(1, ("p", "First page."), 2, ("p", "Second page."), 4, ("p", "Fourth page.")))
    assert [(span.page, span.text) for span in spans] == [
        (1, "First page."),
        (2, "Second page."),
        (4, "Fourth page."),
    ]


def test_headings_should_end_with_their_slide() -> None:
    builder = TextBuilder(ParseLimits())
    builder.slide(1)
    builder.heading(1, "Budget")
    builder.paragraph("1200 euros")
    builder.slide(2)
    builder.paragraph("No title")
    assert [span.heading for span in chunk(builder.build())] == ["Budget", ""]


def test_long_table_should_be_split_at_rows_with_its_header_repeated() -> None:
    rows = [["item", "price", "note"], *([f"bolt {i}", str(i), "in stock"] for i in range(200))]
    document = built(("h1", "Prices"), ("t", rows), ("p", "End."))
    spans = chunk(document)
    tables = [span for span in spans if "bolt" in span.text]
    assert len(tables) > 4
    assert tables[0].text.startswith("Prices\n\nitem | price | note\nbolt 0 |")
    for span in tables[1:]:
        header, _, rest = span.text.partition("\n")
        assert header == "item | price | note"
        assert rest == document.text[span.start : span.end].strip()
        assert all(line.endswith("in stock") for line in rest.split("\n") if line != "End.")
    assert all(count_words(span.text) <= 1.3 * 180 for span in spans)


def test_unbroken_text_should_be_split_in_linear_time() -> None:
    def seconds(length: int) -> float:
        started = time.process_time()
        assert chunk(ParsedDocument("x" * length))
        return time.process_time() - started

    seconds(10_000)
    assert seconds(800_000) < 16 * max(seconds(100_000), 0.01)


BLOCKS = st.one_of(
    st.tuples(st.sampled_from(["h1", "h2", "h3"]), st.text(max_size=40)),
    st.tuples(st.just("p"), st.text(max_size=200)),
    st.tuples(
        st.just("p"),
        st.lists(st.sampled_from(["word", "휴가는", "x" * 90, "end.", "\n"]), max_size=400).map(" ".join),
    ),
    st.tuples(st.just("t"), st.lists(st.lists(st.text(max_size=15), min_size=1, max_size=4), max_size=60)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(BLOCKS, max_size=12), st.booleans(), st.integers(20, 60))
def test_passages_should_be_in_order_in_range_bounded_and_cover_all_text(
    blocks: list[tuple[str, str]], paged: bool, words: int
) -> None:
    numbered = [part for i, block in enumerate(blocks) for part in ((i + 1, block) if paged else (block,))]
    document = built(*numbered)
    text, spans = document.text, chunk(document, words=words)
    assert [span.number for span in spans] == list(range(len(spans)))
    assert [span.start for span in spans] == sorted(span.start for span in spans)
    covered: set[int] = set()
    for span in spans:
        assert 0 <= span.start < span.end <= len(text)
        own = text[span.start : span.end]
        assert span.text == own or span.text.endswith("\n" + own)
        assert len(span.text) <= 2 * words * LONGEST_WORD
        covered.update(range(span.start, span.end))
    assert not [i for i, character in enumerate(text) if not character.isspace() and i not in covered]


def test_offsets_beyond_the_basic_plane_should_count_characters() -> None:
    document = ParsedDocument("𐌲𐌿𐍄 😀 " * 600)
    assert all(document.text[span.start : span.end] == span.text for span in chunk(document))


def test_page_and_heading_should_be_found_by_offset() -> None:
    text = "A\n\nalpha\n\nB\n\nbeta"
    document = ParsedDocument(
        text,
        pages=(Page(7, 0, 10), Page(8, 10, len(text))),
        headings=(Heading(1, "A", 0), Heading(2, "B", 10)),
        tables=(Table(13, 13, 17),),
    )
    assert [(s.page, s.heading) for s in chunk(document)] == [(7, "A"), (8, "A > B")]
