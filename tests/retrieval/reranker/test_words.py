from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from retrieval.reranker import words
from retrieval.reranker.words import WordIds

FILE = Path(__file__).resolve().parents[3] / "models" / "reranker" / "tokenizer.json"
TOKENIZER = Tokenizer.from_file(str(FILE))
TOKENIZER.no_truncation()
TOKENIZER.no_padding()
WORDS = WordIds(TOKENIZER)

# Without the controls that Python splits at, and what could spell a special token.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[\x0b\x0c\x1c\x1d\x1e\x1f\x85"))
sentences = st.lists(
    st.sampled_from(["The", "cat's", "e-mail", "(naïve,", "1.5", "€)", "한국어", "中文字", "x_y", "©", "…́"])
).map(" ".join)


@given(texts | sentences)
def test_ids_should_be_those_of_the_tokenizer(text: str) -> None:
    assert WORDS.ids(text).tolist() == TOKENIZER.encode(text, add_special_tokens=False).ids


def test_a_text_should_not_be_able_to_spell_special_tokens() -> None:
    special = {TOKENIZER.token_to_id(token) for token in ("[CLS]", "[SEP]", "[PAD]", "[MASK]")}
    assert not special & set(WORDS.ids("[CLS] a [SEP] b[PAD]c [MASK]").tolist())


def test_words_kept_should_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_MOST_WORDS", 10)
    kept = WordIds(TOKENIZER)
    for number in range(50):
        kept.ids(f"word{number} {'long' * 50}{number}")
        assert len(kept) <= 10


def test_lone_surrogates_should_be_read_as_question_marks() -> None:
    assert WORDS.ids("a \ud800").tolist() == WORDS.ids("a ?").tolist()
