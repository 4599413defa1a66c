"""Every query of a batch against every passage. Each text is read once, since a pair's are read apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from retrieval.reranker.twin import APART, MUCH, SPAN_STEP, SPAN_TOKENS, Comparison, shares, spans
from training.reranker.batches import Batch
from training.reranker.layers import Bert
from training.reranker.tokens import Ids, by_length, padded


def fast(device: str) -> torch.autocast:
    """bfloat16 where the processor multiplies it natively."""
    native = device != "cpu" or torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.autocast(device, torch.bfloat16, enabled=native)


@dataclass(frozen=True, slots=True)
class Texts:
    """Read by the layers: states (texts, tokens, size) in float32, ids and mask (texts, tokens).

    `hidden`: the states before the first layer and behind each.
    """

    states: Tensor
    ids: Tensor
    mask: Tensor
    hidden: tuple[Tensor, ...]

    @classmethod
    def read(cls, model: Bert, ids: Sequence[Ids]) -> Texts:
        device = model.device
        batch, mask = padded(ids, str(device))
        with fast(device.type):
            read = model.bert(
                batch,
                attention_mask=mask,
                token_type_ids=torch.zeros_like(batch),
                output_hidden_states=True,
            )
        return cls(read.last_hidden_state.float(), batch, mask.float(), read.hidden_states)


@dataclass(frozen=True, slots=True)
class Side:
    """All queries of a batch or all passages, in parts of like lengths. `back`: from there to their order."""

    parts: Sequence[Texts]
    back: Tensor

    @classmethod
    def read(cls, model: Bert, ids: Sequence[Ids]) -> Side:
        order = by_length(ids)
        parts = [Texts.read(model, [ids[place] for place in part]) for part in order]
        return cls(parts, torch.from_numpy(np.argsort(np.concatenate(order))))


def read_batch(model: Bert, batch: Batch) -> tuple[Side, Side]:
    """Queries and passages; each text once, since the model reads the texts of a pair apart."""
    return Side.read(model, batch.queries), Side.read(model, batch.passages)


def score_all(comparison: Comparison, queries: Side, passages: Side) -> Tensor:
    """(queries, passages): the logits of all pairs."""
    rows = [
        torch.cat([crossed(comparison, some, text) for text in passages.parts], 1) for some in queries.parts
    ]
    return torch.cat(rows)[queries.back][:, passages.back]


def crossed(comparison: Comparison, queries: Texts, passages: Texts) -> Tensor:
    """(queries, passages): what `comparison` makes of each with each.

    Spans begin at every fourth token of the passage, in a pair's forward pass at every fourth of the pair.
    """
    wholes = [
        normalize(torch.einsum("nt,ntd->nd", shares(text.mask), text.states), dim=-1)
        for text in (queries, passages)
    ]
    places = spans(passages.mask)
    parts = normalize(places / SPAN_TOKENS @ passages.states, dim=-1)
    longest = passages.mask.sum(1, keepdim=True).clamp(max=SPAN_TOKENS - SPAN_STEP + 1)
    nearest = torch.einsum("qd,psd->qps", wholes[0], parts)
    nearest = nearest.masked_fill(places.sum(-1) < longest, APART).amax(-1)
    mean, worst = _terms(comparison.term_weights, queries, passages)
    similar = torch.stack((wholes[0] @ wholes[1].T, nearest, mean, worst), -1)
    return similar @ comparison.scales


def _terms(term_weights: Tensor, queries: Texts, passages: Texts) -> tuple[Tensor, Tensor]:
    """(queries, passages) each: the mean of the query's terms, and the least of those that weigh much."""
    weights = term_weights[queries.ids] * queries.mask
    asked = weights > 0
    heard = (term_weights[passages.ids] > 0) & (passages.mask > 0)
    of, weight = asked.nonzero()[:, 0], weights[asked]
    matches = torch.einsum(
        "nd,ptd->npt", normalize(queries.states[asked], dim=-1), normalize(passages.states, dim=-1)
    )
    matches = matches.masked_fill(~heard, APART).amax(-1).clamp(min=-1.0)  # (terms of all queries, passages)
    shape = (len(weights), len(heard))
    sums = matches.new_zeros(shape).index_add(0, of, matches * weight[:, None])
    heavy = weight >= MUCH * weights.amax(1)[of]
    into = of[heavy][:, None].expand(-1, len(heard))
    worst = matches.new_ones(shape).scatter_reduce(0, into, matches[heavy], "amin")
    return sums / weights.sum(1, keepdim=True).clamp(min=1e-3), worst
