"""Teaching a smaller cross-encoder by labels and by the whole one, on a random BERT of a few dimensions."""

from __future__ import annotations

import copy
from math import log

import numpy as np
import pytest
import torch

from retrieval.reranker.twin import SPAN_TOKENS, TwinBert
from tests.support.cross_encoders import toy_examples, twin_network
from training.reranker import teach as module
from training.reranker.batches import EXAMPLES, SIMILAR, Batch, batches, calibration
from training.reranker.crossing import read_batch, score_all
from training.reranker.prune import Cut, prune
from training.reranker.teach import Recipe, Taught, hidden_loss, order_loss, rate_at, teach
from training.reranker.tokens import joined, padded

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def model() -> TwinBert:
    network = twin_network(layers=4)
    with torch.no_grad():
        network.comparison.term_weights.copy_(torch.rand(60))
        network.comparison.term_weights[:4] = 0
    return network


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEARNING_RATE", 2e-3)


def taught(model: TwinBert, *, labels: float, hidden: float) -> tuple[TwinBert, Taught]:
    """A student of two of its layers."""
    examples, tokens = toy_examples()
    cut = Cut(layers=(1, 3))
    student = prune(model, calibration(examples, tokens, 64), cut)
    return student, teach(student, model, examples, tokens, Recipe(cut, labels, hidden, steps=30))


def test_all_pairs_should_have_the_scores_that_they_have_alone(
    model: TwinBert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "training.reranker.crossing.fast", lambda device: torch.autocast(device, enabled=False)
    )
    random = np.random.default_rng(0)
    # Queries of 4 or 8 tokens: the spans of a pair then begin where those of the passage do.
    queries = [np.array([2, *random.integers(4, 60, size), 3]) for size in (2, 6, 6, 2, 2)]
    passages = [np.array([2, *random.integers(4, 60, size), 3]) for size in (1, 9, 28, SPAN_TOKENS, 61)]
    batch = Batch(queries, passages, torch.zeros(5, dtype=torch.long))
    with torch.no_grad():
        found = score_all(model.comparison, *read_batch(model, batch))
        pairs = joined([(query, passage) for query in queries for passage in passages])
        alone = model(**pairs).logits.view(5, 5)
    assert torch.allclose(found, alone, atol=1e-4)


def test_batches_should_show_every_example_before_any_comes_again() -> None:
    examples, tokens = toy_examples()
    first, second, third = batches(examples.learned, tokens, 3, seed=1)
    shown = [tuple(ids) for batch in (first, second, third) for ids in batch.passages[:EXAMPLES]]
    assert len({*shown}) == 3 * EXAMPLES == 144
    for batch in (first, second):
        assert EXAMPLES < len(batch.passages) <= EXAMPLES + SIMILAR
        assert len({tuple(ids) for ids in batch.passages}) == len(batch.passages)
        assert len(batch.own) == len(batch.queries) == 2 * EXAMPLES
        for query, place in zip(batch.queries, batch.own, strict=True):
            assert {*query} <= {*batch.passages[place]}


def test_calibration_should_pair_queries_with_their_passages_and_others() -> None:
    examples, tokens = toy_examples()
    samples = calibration(examples, tokens, 40)
    assert sum(len(sample["input_ids"]) for sample in samples) == 40
    for sample in samples:
        first = sample["token_type_ids"].argmax(1)
        assert (sample["input_ids"].gather(1, first[:, None]) == 2).all()  # the passage's [CLS]
        assert not (sample["token_type_ids"] * (1 - sample["attention_mask"])).any()


@pytest.mark.parametrize("hidden", [0.0, 1.0])
@pytest.mark.usefixtures("quick")
def test_teaching_should_bring_the_student_nearer(model: TwinBert, hidden: float) -> None:
    _, how = taught(model, labels=0.0, hidden=hidden)
    assert how.steps == 30
    assert how.queries == 30 * 2 * EXAMPLES
    assert how.divergence[1] < how.divergence[0]


@pytest.mark.usefixtures("quick")
def test_labels_should_rank_held_out_passages_better(model: TwinBert) -> None:
    student, how = taught(model, labels=1.0, hidden=0.0)
    assert how.reciprocal_rank[1] > how.reciprocal_rank[0]
    assert torch.equal(student.comparison.term_weights, model.comparison.term_weights)
    words = "bert.embeddings.word_embeddings.weight"
    assert torch.equal(student.state_dict()[words], model.state_dict()[words])


@pytest.mark.usefixtures("quick")
def test_the_teacher_should_stay_as_it_is(model: TwinBert) -> None:
    before = copy.deepcopy(model.state_dict())
    taught(model, labels=0.5, hidden=0.5)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_order_loss_should_be_the_divergence_from_the_wanted_order() -> None:
    wanted = torch.log(torch.tensor([[0.5, 0.25, 0.25], [0.2, 0.2, 0.6]]))
    assert order_loss(wanted + 7, wanted).item() == pytest.approx(0, abs=1e-6)
    even = torch.zeros(2, 3)
    by_hand = [0.5 * log(1.5) + 0.5 * log(0.75), 0.4 * log(0.6) + 0.6 * log(1.8)]
    assert order_loss(even, wanted).item() == pytest.approx(sum(by_hand) / 2, abs=1e-5)


def test_hidden_loss_should_be_a_share_of_the_variance_without_padding() -> None:
    wanted = torch.tensor([[[1.0, 0.0], [3.0, 4.0], [99.0, 99.0]]])
    mask = torch.tensor([[1, 1, 0]])
    assert hidden_loss(wanted, wanted, mask).item() == 0
    # Variances 2 and 8, each state off by 1.
    assert hidden_loss(wanted + 1, wanted, mask).item() == pytest.approx(1 / 5)


def test_rates_should_rise_and_fall_to_nothing() -> None:
    found = [rate_at(2.0, step / 100) for step in range(101)]
    assert found[0] < found[2] < found[3] == max(found) <= 2.0
    assert found[3:] == sorted(found[3:], reverse=True)
    assert found[-1] == 0


def test_padded_should_mark_what_is_there() -> None:
    ids, mask = padded([[5, 6, 7], [8]], "cpu")
    assert ids.shape == (2, 8)
    assert ids[:, :3].tolist() == [[5, 6, 7], [8, 0, 0]]
    assert mask.sum(1).tolist() == [3, 1]
