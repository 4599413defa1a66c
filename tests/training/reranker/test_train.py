"""The way to the shipped cross-encoder, on a random BERT of a few dimensions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from training.reranker.distil import padded, vectors  # noqa: E402
from training.reranker.export import ScoreOnly, save_card, save_onnx, save_torch  # noqa: E402
from training.reranker.graft import graft  # noqa: E402
from training.reranker.student import Marks, Shape, hold_marks, make_student, pooled  # noqa: E402

CLS, SEP, WORDS = 1, 2, range(3, 60)


@pytest.fixture(scope="module")
def teacher() -> transformers.BertModel:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=60,
        hidden_size=48,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.15,
    )
    return transformers.BertModel(config, add_pooling_layer=False).eval()


def texts(count: int, seed: int) -> list[list[int]]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(WORDS.start, WORDS.stop, (10,), generator=generator).tolist() for _ in range(count)]


@pytest.fixture(scope="module")
def made(teacher: transformers.BertModel) -> tuple[transformers.BertModel, Marks]:
    samples = [padded([[CLS, *text, SEP] for text in texts(64, 1)])]
    return make_student(teacher, list(range(60)), samples, Shape(layers=(0, 2), feed_forward=48))


def pairs(queries: list[list[int]], passages: list[list[int]]) -> dict[str, torch.Tensor]:
    rows = [[CLS, *query, SEP, *passage, SEP] for query in queries for passage in passages]
    inputs = padded(rows)
    types = [[0] * (len(query) + 2) + [1] * (len(passage) + 1) for query in queries for passage in passages]
    return inputs | {"token_type_ids": torch.tensor(types)}


def test_student_should_be_near_its_teacher_before_training(
    teacher: transformers.BertModel, made: tuple[transformers.BertModel, Marks]
) -> None:
    student, marks = made
    inputs = padded([[CLS, *text, SEP] for text in texts(30, 2)])
    with torch.no_grad():
        wanted, got = vectors(teacher, inputs), pooled(student, inputs, marks)
    assert (wanted * got).sum(1).mean() > 0.8
    assert len(student.encoder.layer) == 2
    assert student.encoder.layer[0].intermediate.dense.out_features == 48


def test_student_should_read_a_segment_the_same_beside_any_other(
    made: tuple[transformers.BertModel, Marks],
) -> None:
    student, _ = made
    query = texts(1, 3)[0]
    with torch.no_grad():
        states = student(**pairs([query], texts(5, 4))).last_hidden_state[:, : len(query) + 2]
    assert torch.allclose(states, states[:1].expand_as(states), atol=1e-3)


def test_graft_should_rank_by_the_students_similarity(made: tuple[transformers.BertModel, Marks]) -> None:
    student, marks = made
    queries, passages = texts(4, 5), texts(20, 6)
    inputs = pairs(queries, passages)
    with torch.no_grad():
        scores = graft(student, marks, inputs)(**inputs).logits.view(4, 20)
        as_passages = padded([[*passage, SEP] for passage in passages])
        as_passages["token_type_ids"] = torch.ones_like(as_passages["input_ids"])
        as_passages["position_ids"] = torch.arange(12, 23)[None].expand(20, -1)
        own = padded([[CLS, *query, SEP] for query in queries])
        similarity = pooled(student, own, marks) @ pooled(student, as_passages, marks).T
    for row, wanted in zip(scores, similarity, strict=True):
        assert torch.corrcoef(torch.stack([row, wanted]))[0, 1] > 0.97


def test_training_should_leave_the_marks_alone(made: tuple[transformers.BertModel, Marks]) -> None:
    import copy

    student, marks = copy.deepcopy(made[0]), made[1]
    hold_marks(student, marks)
    before = {name: parameter.clone() for name, parameter in student.named_parameters()}
    optimizer = torch.optim.Adam(student.parameters(), lr=0.01)
    pooled(student, padded(texts(4, 7)), marks)[:, 0].sum().backward()
    optimizer.step()
    embeddings = "embeddings.word_embeddings.weight"
    after = dict(student.named_parameters())
    assert torch.equal(after[embeddings][:, marks.all], before[embeddings][:, marks.all])
    assert not torch.equal(after[embeddings], before[embeddings])


def test_export_should_give_torchs_scores(made: tuple[transformers.BertModel, Marks], tmp_path: Path) -> None:
    import onnxruntime

    inputs = pairs(texts(3, 8), texts(6, 9))
    model = graft(*made, inputs)
    with torch.no_grad():  # training moves the biases of feed-forward blocks whose weights stay 0
        for layer in model.bert.encoder.layer[-2:]:
            layer.output.dense.bias[::3] += 0.2
    save_torch(model, tmp_path)
    save_onnx(model, tmp_path, inputs)
    save_card(tmp_path, weight=0.3, max_length=64)
    with torch.no_grad():
        logits = model(**inputs).logits
        order = ("input_ids", "attention_mask", "token_type_ids")
        exported = ScoreOnly(model, inputs).eval()(*(inputs[name] for name in order))
    session = onnxruntime.InferenceSession(tmp_path / "onnx" / "model_int8.onnx")
    (quantized,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
    # 8 bits cost far more with these few random dimensions than in the shipped model.
    for scores, least in ((exported, 0.99), (torch.tensor(quantized), 0.5)):
        assert torch.corrcoef(torch.cat([scores, logits], 1).T)[0, 1] > least
    assert (tmp_path / "model.safetensors").stat().st_size > 0
    assert json.loads((tmp_path / "quarry.json").read_text(encoding="utf-8"))["languages"] == ["en"]


def test_split_should_ask_only_what_no_step_of_training_learns() -> None:
    pytest.importorskip("sentence_transformers")
    from training.reranker.held_out import held_out
    from training.reranker.train import split
    from training.sources import Pair

    sources = [[Pair(f"query {number}", f"{name} {number}") for number in range(300)] for name in "ab"]
    learned, unseen = split(sources)
    for source, known, asked in zip(sources, learned, unseen, strict=True):
        assert {*known} | {*asked} == {*source}
        assert held_out([pair.positive for pair in asked]).all()
        assert not held_out([pair.positive for pair in known]).any()
        assert asked
