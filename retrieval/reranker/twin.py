"""The shipped network: query and passage are read apart, in one pass, and compared at the end."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize
from transformers import AutoConfig, AutoModelForSequenceClassification, BertConfig, BertModel
from transformers.modeling_outputs import SequenceClassifierOutput
from transformers.models.bert.modeling_bert import BertPreTrainedModel

SPAN_TOKENS, SPAN_STEP = 32, 4
MUCH = 0.5  # of the weight of the query's heaviest term
# Of the whole, the best span, the mean term and the worst heavy one, which hangs on a single token. A softmax
# over logits is then about as sharp as one over cosines at the temperature of contrastive training, 0.05.
SCALES = (5.0, 5.0, 5.0, 2.5)
# Far below any logit, and a number in half precision too.
APART = -1e4


class TwinBertConfig(BertConfig):  # type: ignore[no-untyped-call]
    """BERT's, by a name of its own in config.json."""

    model_type = "twin-bert"


class TwinBert(BertPreTrainedModel):  # type: ignore[no-untyped-call]
    """A cross-encoder that keeps what a bi-encoder's weights know: [CLS] query [SEP] [CLS] passage [SEP].

    The texts share each pass, so that pairs are batched as any cross-encoder's are, but a token attends to
    its own text only, and positions start again with the passage: both are read as the bi-encoder reads them.
    `Comparison` then crosses them (twin towers under a crossing layer: TwinBERT, Lu, Jiao and Zhang 2020).
    """

    config_class = TwinBertConfig

    def __init__(self, config: TwinBertConfig) -> None:
        super().__init__(config)
        self.bert = BertModel(config, add_pooling_layer=False)
        self.comparison = Comparison(config.vocab_size)
        self.post_init()  # type: ignore[no-untyped-call]

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, **outputs: bool
    ) -> SequenceClassifierOutput:
        """Logits (pairs, 1), from int64 inputs (pairs, tokens). `outputs`: what else to return."""
        segments = Segments(attention_mask, token_type_ids)
        read = self.bert(
            input_ids,
            attention_mask=segments.attention(self.dtype),
            token_type_ids=torch.zeros_like(input_ids),
            position_ids=segments.positions,
            **outputs,
        )
        logits = self.comparison(read.last_hidden_state.float(), input_ids, segments)
        return SequenceClassifierOutput(logits=logits, hidden_states=read.get("hidden_states"))


class Segments:
    """Which tokens are the query's and which the passage's: each (pairs, tokens), 1.0 or 0.0."""

    def __init__(self, attention_mask: Tensor, token_type_ids: Tensor) -> None:
        passage = attention_mask * token_type_ids
        query = attention_mask - passage
        places = torch.arange(attention_mask.shape[1], device=attention_mask.device)
        self.positions = places - passage * query.sum(1, keepdim=True)  # (pairs, tokens)
        self.query, self.passage = query.float(), passage.float()

    def attention(self, dtype: torch.dtype) -> Tensor:
        """(pairs, 1, tokens, tokens), to be added to the logits of attention."""
        sides = torch.stack((self.query, self.passage), -1)
        same = sides @ sides.transpose(1, 2)
        return ((1 - same) * APART)[:, None].to(dtype)


class Comparison(nn.Module):
    """How near the passage comes to the query, in cosines: as a whole, by its best span, and term by term.

    Whole texts are the means of their tokens' states, as in the bi-encoder. Term by term, each token of the
    query finds the passage's most similar one (late interaction: ColBERT, Khattab and Zaharia 2020). All
    count by how much they tell passages apart; and once more the worst of those that tell much, since a
    passage on all but one of the things that are asked about looks near as a whole.
    """

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.term_weights = nn.Parameter(torch.ones(vocabulary))  # 0: a special token, which matches nothing
        self.scales = nn.Parameter(torch.tensor(SCALES))

    def forward(self, states: Tensor, ids: Tensor, segments: Segments) -> Tensor:
        """(pairs, 1), from states (pairs, tokens, size) in float32."""
        similar = torch.stack((*_by_parts(states, segments), *self._by_terms(states, ids, segments)), 1)
        # Not by a product of matrices, which an export in 8 bits would round.
        return (similar * self.scales).sum(1, keepdim=True)

    def _by_terms(self, states: Tensor, ids: Tensor, segments: Segments) -> tuple[Tensor, Tensor]:
        """(pairs,) each: the mean of the query's terms, and the least of those that weigh much."""
        unit, width = normalize(states, dim=-1), segments.query.sum(1).max().long()
        weights = self.term_weights[ids]
        terms = (weights > 0) * segments.passage
        matches = (unit[:, :width] @ unit.transpose(1, 2) + (1 - terms[:, None]) * APART).amax(-1)
        matches = matches.clamp(min=-1.0)
        asked = (weights * segments.query)[:, :width]
        mean = (asked * matches).sum(1) / asked.sum(1).clamp(min=1e-3)
        light = asked < MUCH * asked.amax(1, keepdim=True).clamp(min=1e-3)
        return mean, matches.masked_fill(light, 1.0).amin(1)


def _by_parts(states: Tensor, segments: Segments) -> tuple[Tensor, Tensor]:
    """(pairs,) each: the query against the whole passage, and against the best of its spans."""
    # Shares, not sums, which would leave the range of half precision.
    query = normalize(shares(segments.query)[:, None] @ states, dim=-1)  # (pairs, 1, size)
    passage = normalize(shares(segments.passage)[:, None] @ states, dim=-1)
    places = spans(segments.passage)
    nearest = (normalize(places / SPAN_TOKENS @ states, dim=-1) @ query.transpose(1, 2))[..., 0]
    longest = segments.passage.sum(1, keepdim=True).clamp(max=SPAN_TOKENS - SPAN_STEP + 1)
    nearest = nearest.masked_fill(places.sum(-1) < longest, APART)
    return (query * passage).sum((1, 2)), nearest.amax(1)


def shares(segment: Tensor) -> Tensor:
    """1.0 and 0.0 of each row, divided by how many there are."""
    return segment / segment.sum(1, keepdim=True).clamp(min=1.0)


def spans(passage: Tensor) -> Tensor:
    """(pairs, spans, tokens): 1.0 for the passage's tokens of the span from each SPAN_STEP-th token on."""
    places = torch.arange(passage.shape[1], device=passage.device)
    ahead = places - places[::SPAN_STEP, None]
    return ((ahead >= 0) & (ahead < SPAN_TOKENS)).float() * passage[:, None]


AutoConfig.register(TwinBertConfig.model_type, TwinBertConfig)
AutoModelForSequenceClassification.register(TwinBertConfig, TwinBert)
