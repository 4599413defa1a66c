"""The shipped network against its definition, written out, on a random BERT of a few dimensions."""

from __future__ import annotations

import pytest
import torch

from retrieval.reranker.twin import MUCH, SPAN_STEP, SPAN_TOKENS, TwinBert
from tests.support.cross_encoders import twin_network

pytestmark = pytest.mark.torch

CLS, SEP = 1, 2
Tokens = list[int]


@pytest.fixture(scope="module")
def model() -> TwinBert:
    made = twin_network()
    with torch.no_grad():
        made.comparison.term_weights[:] = torch.rand(60) + 0.5
        made.comparison.term_weights[: SEP + 1] = 0
    return made


def text(tokens: int, seed: int) -> Tokens:
    return torch.randint(3, 60, (tokens,), generator=torch.Generator().manual_seed(seed)).tolist()


def scores(model: TwinBert, pairs: list[tuple[Tokens, Tokens]], scales: tuple[float, ...]) -> torch.Tensor:
    """(pairs,), padded to the longest."""
    rows = [[CLS, *query, SEP, CLS, *passage, SEP] for query, passage in pairs]
    ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.long)
    mask, types = torch.zeros_like(ids), torch.zeros_like(ids)
    for place, ((query, _), row) in enumerate(zip(pairs, rows, strict=True)):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
        types[place, len(query) + 2 : len(row)] = 1
    with torch.no_grad():
        model.comparison.scales[:] = torch.tensor(scales)
        return model(ids, mask, types).logits[:, 0]


def states(model: TwinBert, tokens: Tokens) -> torch.Tensor:
    """(tokens + 2, size), of the text alone."""
    with torch.no_grad():
        return model.bert(torch.tensor([[CLS, *tokens, SEP]])).last_hidden_state[0]


def cosine(one: torch.Tensor, other: torch.Tensor) -> float:
    return torch.nn.functional.cosine_similarity(one, other, dim=0).item()


PAIRS = [(text(4, 1), text(60, 2)), (text(7, 3), text(5, 4)), (text(2, 5), text(31, 6)), (text(9, 7), [7])]


def test_whole_texts_should_be_compared_as_the_encoder_reads_them_alone(model: TwinBert) -> None:
    wanted = [cosine(*(states(model, tokens).mean(0) for tokens in pair)) for pair in PAIRS]
    assert scores(model, PAIRS, (1, 0, 0, 0)).tolist() == pytest.approx(wanted, abs=1e-5)


def test_the_best_span_should_count(model: TwinBert) -> None:
    wanted = []
    for tokens, other in PAIRS:
        query, passage = states(model, tokens), states(model, other)
        # Spans begin at every SPAN_STEP-th token of the pair, and may lose less than that at an end.
        starts = range(-len(query), len(passage), SPAN_STEP)
        spans = [passage[max(0, start) : start + SPAN_TOKENS] for start in starts if start + SPAN_TOKENS > 0]
        least = min(SPAN_TOKENS - SPAN_STEP + 1, len(passage))
        wanted.append(max(cosine(query.mean(0), each.mean(0)) for each in spans if len(each) >= least))
    assert scores(model, PAIRS, (0, 1, 0, 0)).tolist() == pytest.approx(wanted, abs=1e-5)


def matches(model: TwinBert, query: Tokens, passage: Tokens) -> tuple[torch.Tensor, torch.Tensor]:
    """For each of the query's terms, the cosine of the passage's most similar one, and its weight."""
    ours, theirs = states(model, query)[1:-1], states(model, passage)[1:-1]
    nearest = torch.tensor([max(cosine(term, other) for other in theirs) for term in ours])
    return nearest, model.comparison.term_weights[torch.tensor(query)].detach()


def test_terms_should_be_matched_one_by_one_and_weighed(model: TwinBert) -> None:
    wanted = []
    for pair in PAIRS:
        nearest, weights = matches(model, *pair)
        wanted.append((weights @ nearest / weights.sum()).item())
    assert scores(model, PAIRS, (0, 0, 1, 0)).tolist() == pytest.approx(wanted, abs=1e-5)


def test_the_worst_match_of_a_heavy_term_should_count(model: TwinBert) -> None:
    wanted, light = [], 0
    for pair in PAIRS:
        nearest, weights = matches(model, *pair)
        heavy = weights >= MUCH * weights.max()
        light += int((~heavy).sum())
        wanted.append(nearest[heavy].min().item())
    assert light
    assert scores(model, PAIRS, (0, 0, 0, 1)).tolist() == pytest.approx(wanted, abs=1e-5)


def test_padding_and_neighbours_should_change_no_score(model: TwinBert) -> None:
    together = scores(model, PAIRS, (1, 2, 3, 4))
    alone = torch.cat([scores(model, [pair], (1, 2, 3, 4)) for pair in PAIRS])
    assert torch.allclose(together, alone, atol=1e-5)


def test_a_text_without_words_should_have_a_score(model: TwinBert) -> None:
    found = scores(model, [([], text(3, 8)), (text(3, 9), []), ([], [])], (1, 1, 1, 1))
    assert torch.isfinite(found).all()
