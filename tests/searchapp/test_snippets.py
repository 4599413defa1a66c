from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from library.models import Library
from searchapp.search import search
from searchapp.snippets import LENGTH, Snippet
from tests.factories import People, ready_document
from tests.support.models import static_model

FILLER = "The committee met and talked about many things that do not matter here. "


@pytest.fixture(autouse=True)
def small_engine(settings: Any, tmp_path: Path) -> None:
    settings.ENCODER, settings.DIMENSIONS = str(static_model(tmp_path / "encoder")), 12
    settings.RERANK_BACKEND = "off"


def snippet_of(people: People, query: str, text: str, name: str = "a.txt") -> Snippet:
    library: Library = people.library
    ready_document(library, text, name)
    return search(people.owner, query).hits[0].snippet


def marked(snippet: Snippet) -> set[str]:
    return {snippet.text[start:end] for start, end in snippet.highlights}


@pytest.mark.parametrize(
    ("text", "query", "match"),
    [
        (FILLER * 6 + "The archive door has code 7391. " + FILLER * 2, "archive door code", "7391"),
        ("inventory " + " ".join(f"item {n} box" for n in range(90)) + " spindle " + "shelf " * 60,
         "spindle", "spindle"),
        ("The supplier, " + "in case of those, " * 30 + "pays the surety, " + "in case of those, " * 20,
         "surety", "pays the surety"),
        ("委员会讨论了许多与本文无关的事项" * 12 + "备用钥匙放在保险柜里" + "委员会讨论了" * 20,
         "备用钥匙", "备用钥匙"),
        ("ข้อความยาวที่ไม่มีช่องว่าง" * 16 + " หมวกนิรภัย " + "ข้อความต่อไปอีก" * 12, "หมวกนิรภัย", "หมวกนิรภัย"),
    ],
    ids=["sentence", "words", "clauses", "no spaces", "Thai"],
)  # fmt: skip
def test_the_match_should_be_inside_however_long_the_text(
    people: People, text: str, query: str, match: str
) -> None:
    snippet = snippet_of(people, query, text)
    assert match in snippet.text
    assert snippet.highlights
    assert len(snippet.text) <= LENGTH


def test_a_long_sentence_should_be_cut_between_words(people: People) -> None:
    text = "begin " + "alpha 12 beta " * 40 + "spindle " + "gamma 34 delta " * 40
    shown = snippet_of(people, "spindle", text).text
    assert shown.startswith("… ") and shown.endswith(" …")
    words = shown.strip("… ").split()
    assert set(words) <= set(text.split())
    assert not words[0].isdigit()


def test_a_snippet_should_hold_whole_sentences_around_the_best(people: People) -> None:
    text = FILLER * 6 + "Spindles are oiled weekly. Valves are not. " + FILLER * 6
    shown = snippet_of(people, "spindles oiled", text).text
    assert "Spindles are oiled weekly. Valves are not." in shown
    assert shown.startswith(("The committee met", "Spindles")) and shown.endswith("matter here.")


def test_a_table_should_answer_with_one_row_and_its_header(people: People) -> None:
    rows = "".join(f"Cabinet {n},ropes,key {900 + n}\n" for n in range(60))
    shown = snippet_of(people, "key 913", "Place,Content,Number\n" + rows, "cabinets.csv")
    assert shown.text == "Place: Cabinet 13; Content: ropes; Number: key 913"
    assert "913" in marked(shown)


def test_a_heading_should_lead_to_the_text_below_it(people: People) -> None:
    text = "# Rules\n\n## Spindle oil\n\nUse grade nine.\n\n## Valves\n\nKeep them shut."
    shown = snippet_of(people, "spindle oil", text, "rules.md").text
    assert "Spindle oil: Use grade nine." in shown
    assert "Keep them shut" not in shown


def test_a_snippet_should_not_begin_in_a_number(people: People) -> None:
    assert snippet_of(people, "spindle", "25 spindles are in stock.").text == "… 25 spindles are in stock."
