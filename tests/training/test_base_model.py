from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from retrieval.encoder import load_encoder
from training.bags import BagMaker, embed
from training.static_model import read_model

FOLDER = Path(__file__).parents[2] / "models" / "encoder"
TEXTS = [
    "Naïve café owners in Zürich paid 3.5% more — why?",
    "알베르트 아인슈타인은 어디에서 태어났나요?",
    "東京都知事は誰ですか。ガーデンとパーティー",
    "我们的社区翻译了这些文档。",
    "",
]
TOKENIZER = Tokenizer.from_file(str(FOLDER / "0_StaticEmbedding" / "tokenizer.json"))


def ids(text: str) -> list[int]:
    return list(TOKENIZER.encode(text, add_special_tokens=False).ids)


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x0b\x0c\x1c\x1d\x1e\x1f\x85")))
def test_tokenizing_word_by_word_should_be_exact(text: str) -> None:
    assert ids(text) == [token for word in text.split() for token in ids(word)]


@pytest.mark.parametrize("text", TEXTS[:4])
def test_tokenizer_should_know_everyday_text(text: str) -> None:
    assert "[UNK]" not in TOKENIZER.encode(text).tokens


@pytest.mark.parametrize(
    ("written", "plain"),
    [("Ünïcode CAFÉ", "unicode cafe"), ("ﬁne ＡＢＣ", "fine abc"), ("가각", "가각"), ("ガ", "ガ")],
)
def test_tokenizer_should_fold_what_looks_alike(written: str, plain: str) -> None:
    assert ids(written) == ids(plain)


@pytest.mark.parametrize(("one", "other"), [("각", "가"), ("ガ", "カ"), ("が", "か"), ("北", "南")])
def test_tokenizer_should_keep_distinct_letters_apart(one: str, other: str) -> None:
    assert ids(one) != ids(other)


def test_encoder_should_equal_a_look_up_in_the_table() -> None:
    model = read_model(str(FOLDER))

    expected = embed(BagMaker(model.tokenizer)(TEXTS), model.table)

    np.testing.assert_allclose(load_encoder(str(FOLDER)).encode_passages(TEXTS), expected, atol=1e-6)
    assert model.table.shape[1] == 512


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_sentence_transformers_should_load_the_model() -> None:
    import sentence_transformers

    model = read_model(str(FOLDER))

    vectors = sentence_transformers.SentenceTransformer(str(FOLDER), device="cpu").encode(TEXTS[:4])

    expected = embed(BagMaker(model.tokenizer)(TEXTS[:4]), model.table)
    np.testing.assert_allclose(vectors.astype(np.float32), expected, atol=2e-3)


def test_model_files_should_stay_small() -> None:
    assert (FOLDER / "0_StaticEmbedding" / "model.safetensors").stat().st_size < 39_000_000
