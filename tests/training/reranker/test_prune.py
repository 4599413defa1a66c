"""Pruning and distilling a cross-encoder, on a random BERT of a few dimensions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers

from retrieval.reranker.twin import TwinBert
from tests.support.cross_encoders import twin_network
from training.reranker.export import Exported
from training.reranker.layers import ridge, sparse_ridge
from training.reranker.prune import Cut, head_gains, keep_vocabulary, prune, stands_for
from training.reranker.vocabulary import used_rows

pytestmark = pytest.mark.torch

HEADS, SIZE = 4, 12
Tensor = torch.Tensor
Inputs = dict[str, Tensor]


@pytest.fixture(scope="module")
def model() -> TwinBert:
    return twin_network(layers=4, heads=HEADS, head_size=SIZE)


def pairs(count: int, seed: int) -> Inputs:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(3, 60, (count, 24), generator=generator)
    mask = torch.ones_like(ids)
    mask[::2, 20:] = 0
    types = (torch.arange(24) >= 8).long().expand(count, -1)
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": types}


def scores(model: TwinBert, inputs: Inputs) -> torch.Tensor:
    with torch.no_grad():
        return model(**inputs).logits[:, 0]


def test_pruning_nothing_should_change_no_score(model: TwinBert) -> None:
    samples, inputs = [pairs(8, 1)], pairs(20, 2)
    for cut in (Cut(), Cut(layers=(0, 1, 2, 3), heads=HEADS, feed_forward=64)):
        assert torch.allclose(scores(prune(model, samples, cut), inputs), scores(model, inputs), atol=1e-6)


@pytest.mark.parametrize("cut", [Cut(heads=2), Cut(feed_forward=24), Cut(layers=(0, 2, 3))])
def test_least_squares_should_be_nearer_than_plain_cutting(
    model: TwinBert, cut: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    def largest(_known: Tensor, _wanted: Tensor, start: Tensor, count: int) -> tuple[Tensor, Tensor]:
        kept = start[:-1].norm(dim=1).topk(count).indices.sort().values
        return kept, torch.cat([start[kept], start[-1:]])

    samples, inputs = [pairs(64, seed) for seed in (3, 4)], pairs(64, 5)
    fitted = scores(prune(model, samples, cut), inputs)
    monkeypatch.setattr("training.reranker.prune.ridge", lambda known, wanted, start: start)
    monkeypatch.setattr("training.reranker.prune.sparse_ridge", largest)
    plain = scores(prune(model, samples, cut), inputs)
    wanted = scores(model, inputs)
    assert (fitted - wanted).square().mean() < 0.7 * (plain - wanted).square().mean()


def test_a_pruned_model_should_be_smaller_and_export(
    model: TwinBert,
) -> None:
    pruned = prune(model, [pairs(64, 6)], Cut(layers=(1, 3), heads=3, feed_forward=40))
    layer = pruned.bert.encoder.layer[1]
    assert len(pruned.bert.encoder.layer) == pruned.config.num_hidden_layers == 2
    assert layer.attention.self.value.weight.shape == (3 * SIZE, HEADS * SIZE)
    assert layer.output.dense.weight.shape == (HEADS * SIZE, 40)
    inputs = pairs(9, 7)
    exported = Exported(pruned, inputs).eval()(*inputs.values())[:, 0]
    assert torch.corrcoef(torch.stack([exported, scores(pruned, inputs)]))[0, 1] > 0.99


def test_head_gains_should_be_nothing_for_a_head_that_writes_nothing() -> None:
    made = twin_network(layers=1, heads=2, feed_forward=8, seed=1)
    with torch.no_grad():
        made.bert.encoder.layer[0].attention.output.dense.weight[:, :12] = 0
    silent, other = head_gains(made, [pairs(6, 8)])[0].tolist()
    assert silent == 0
    assert other > 0


def test_layers_should_end_with_the_one_that_is_scored(
    model: TwinBert,
) -> None:
    assert stands_for((0, 2, 3)) == [1, 2, 3]
    for layers in ((0, 1), (2, 1, 3)):
        with pytest.raises(ValueError, match="ascend to the last"):
            prune(model, [], Cut(layers=layers))


def test_pruning_unused_rows_should_change_no_score(model: TwinBert, tmp_path: Path) -> None:
    names = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"word{number}" for number in range(56))]
    tokenizer = Tokenizer(models.WordPiece({name: row for row, name in enumerate(names)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    rows = used_rows(tmp_path, ["word5 word30", "word41 nowhere"])
    assert rows == [0, 1, 2, 3, 9, 34, 45]
    inputs = pairs(5, 9)
    inputs["input_ids"] = torch.tensor(rows)[inputs["input_ids"] % len(rows)]
    renumbered = {row: number for number, row in enumerate(rows)}
    fewer = inputs | {"input_ids": inputs["input_ids"].clone().apply_(lambda row: renumbered[row])}
    assert torch.equal(scores(keep_vocabulary(model, rows), fewer), scores(model, inputs))


def test_ridge_should_stay_where_the_tokens_say_nothing() -> None:
    known = torch.tensor([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0]])
    start = torch.tensor([[0.0], [9.0], [0.0]])
    solved = ridge(known, 2 * known[:, :1] + 1, start)
    assert solved[:, 0].tolist() == pytest.approx([2, 9, 1], abs=0.02)
    assert torch.equal(ridge(known, known @ start[:2], start), start)


def test_sparse_ridge_should_drop_what_the_others_make_up_for() -> None:
    torch.manual_seed(0)
    known = torch.randn(200, 5)
    known[:, 3] = known[:, 0] - known[:, 1]
    start = 3 * torch.randn(6, 2)
    start[4] *= 0.01  # the least of all, but nothing replaces it, as two of 0, 1 and 3 do the third
    wanted = known @ start[:-1] + start[-1]
    kept, solved = sparse_ridge(known, wanted, start, 4)
    assert kept[-1] == 4 and 2 in kept
    assert torch.allclose(known[:, kept] @ solved[:-1] + solved[-1], wanted, atol=0.01)
    fewer, weights = sparse_ridge(known, wanted, start, 3)
    assert fewer.tolist() == [number for number in kept.tolist() if number != 4]
    anew = ridge(known[:, fewer], wanted, torch.cat([start[fewer], start[-1:]]))
    assert torch.allclose(weights, anew, atol=1e-3)
