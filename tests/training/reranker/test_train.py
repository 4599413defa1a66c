"""The way to the shipped cross-encoder, on a random BERT of a few dimensions."""

from __future__ import annotations

import json
from math import log
from pathlib import Path

import pytest
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from training.reranker.export import Exported, save_card, save_onnx, save_torch
from training.reranker.tokens import pair_inputs, plain_tokenizer
from training.reranker.vocabulary import english_vocabulary, save_tokenizer
from training.reranker.whole import LEAST_WEIGHT, make_whole, term_weights

pytestmark = pytest.mark.torch

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["vaccine", "letter", "##s", "a", "\u754c", "immune", "\u00e9\u00e0", "[unused1]", "7", "the"]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bi-encoder's folder."""
    folder = tmp_path_factory.mktemp("teacher")
    names = [*SPECIAL, *WORDS]
    tokenizer = Tokenizer(models.WordPiece({name: row for row, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True, "name_or_path": "x"}))
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(names),
        hidden_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.15,
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def made(teacher: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole cross-encoder's folder."""
    folder = tmp_path_factory.mktemp("whole")
    rows = english_vocabulary(teacher)
    save_tokenizer(teacher, rows, folder, 64)
    tokenizer = plain_tokenizer(folder)
    save_torch(make_whole(teacher, rows, tokenizer, ["the vaccine", "the letter s", "the immune"]), folder)
    return folder


def test_vocabulary_should_be_english_with_what_any_text_needs(teacher: Path, made: Path) -> None:
    tokenizer = plain_tokenizer(made)
    assert {*SPECIAL, *WORDS} - {*tokenizer.get_vocab()} == {"\u754c", "\u00e9\u00e0", "[unused1]"}
    assert sorted(tokenizer.get_vocab().values()) == list(range(tokenizer.get_vocab_size()))


def test_pairs_should_be_read_as_two_whole_texts(made: Path) -> None:
    encoding = plain_tokenizer(made).encode("vaccine", "a letter")
    assert encoding.tokens == ["[CLS]", "vaccine", "[SEP]", "[CLS]", "a", "letter", "[SEP]"]
    assert encoding.type_ids == [0, 0, 0, 1, 1, 1, 1]
    by_transformers = transformers.AutoTokenizer.from_pretrained(made)("vaccine", "a letter")
    assert by_transformers["input_ids"] == encoding.ids
    assert by_transformers["token_type_ids"] == encoding.type_ids


def test_whole_model_should_begin_with_the_teachers_similarity(teacher: Path, made: Path) -> None:
    from retrieval.reranker.twin import TwinBert

    def vector(text: str) -> torch.Tensor:
        ids = torch.tensor([plain_tokenizer(teacher).encode(text).ids])
        return encoder(ids).last_hidden_state[0].mean(0)

    encoder = transformers.BertModel.from_pretrained(teacher, add_pooling_layer=False).eval()
    model = TwinBert.from_pretrained(made, dtype=torch.float32).eval()
    texts = ("the vaccine", "immune a 7 letters")
    with torch.no_grad():
        model.comparison.scales[1:] = 0
        logit = model(**pair_inputs(plain_tokenizer(made), [texts])).logits.item()
        wanted = torch.nn.functional.cosine_similarity(*map(vector, texts), dim=0).item()
    assert logit == pytest.approx(wanted * 5, abs=0.01)  # weights are kept in half precision


def test_terms_should_weigh_more_the_fewer_passages_have_them(made: Path) -> None:
    tokenizer = plain_tokenizer(made)
    weights = term_weights(tokenizer, ["the vaccine vaccine", "the letter", "the"])
    by_term = {term: weights[tokenizer.token_to_id(term)].item() for term in ("vaccine", "immune", "the")}
    assert by_term == pytest.approx({"vaccine": log(4 / 1.5), "immune": log(4 / 0.5), "the": log(4 / 3.5)})
    assert by_term["the"] >= LEAST_WEIGHT
    assert not weights[[tokenizer.token_to_id(token) for token in SPECIAL]].any()


def test_export_should_give_torchs_scores(made: Path, tmp_path: Path) -> None:
    import onnxruntime

    from retrieval.reranker.twin import TwinBert

    texts = ["vaccine the", "a 7", "letters immune the a", "immune", "7 7 letter vaccines the a"]
    inputs = pair_inputs(plain_tokenizer(made), [(one, other) for one in texts for other in texts])
    model = TwinBert.from_pretrained(made, dtype=torch.float32).eval()
    save_onnx(model, tmp_path, inputs)
    save_card(tmp_path, weight=0.3, max_length=64)
    order = ("input_ids", "attention_mask", "token_type_ids")
    with torch.no_grad():
        logits = model(**inputs).logits
        exported = Exported(model, inputs).eval()(*(inputs[name] for name in order))
    session = onnxruntime.InferenceSession(tmp_path / "onnx" / "model_int8.onnx")
    (quantized,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    assert torch.allclose(exported, logits, atol=0.1)  # its word table is in 8 bits
    assert torch.corrcoef(torch.cat([torch.tensor(quantized), logits], 1).T)[0, 1] > 0.95
    assert json.loads((tmp_path / "quarry.json").read_text(encoding="utf-8"))["languages"] == ["en"]


def test_weight_should_be_that_of_the_model_before_it_was_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.base.sources import Pair
    from training.reranker import train

    found = {"pruned": (0.4, 1.25), "taught": (0.8, 1.5)}
    monkeypatch.setattr(train, "load_reranker", lambda folder: folder.name)
    monkeypatch.setattr(train, "calibrate", lambda reranker, *_pairs: found[reranker])
    folders = [tmp_path / name for name in found]
    for folder in folders:
        folder.mkdir()
    train.judge(*folders, encoder=None, sources=[[Pair("query", "passage")]])
    cards = [json.loads((folder / "quarry.json").read_text(encoding="utf-8")) for folder in folders]
    assert [card["weight"] for card in cards] == [0.4, 0.4]
    assert [card["spread"] for card in cards] == [1.25, 1.5]


def test_split_should_ask_only_what_no_step_of_training_learns() -> None:
    from training.base.sources import Pair
    from training.reranker.held_out import held_out
    from training.reranker.train import split

    sources = [[Pair(f"query {number}", f"{name} {number}") for number in range(300)] for name in "ab"]
    learned, unseen = split(sources)
    for source, known, asked in zip(sources, learned, unseen, strict=True):
        assert {*known} | {*asked} == {*source}
        assert held_out([pair.positive for pair in asked]).all()
        assert not held_out([pair.positive for pair in known]).any()
        assert asked
