"""From a student that embeds texts to a cross-encoder that compares them: two layers, written, not learnt.

1. The pooling layer: every token attends evenly to its own segment, so each becomes its segment's vector, and
   the layer's norm makes these vectors equally long.
2. The comparing layer: every token attends to the other segment, so [CLS] becomes the sum of both vectors.
   The norm divides by the length of that sum, sqrt(2 + 2 cosine), and so a constant beside it comes out as a
   measure of the cosine: that is the score.

The result is a plain BertForSequenceClassification whose score starts as the student's similarity.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from transformers import BertForSequenceClassification

from training.reranker.student import MASK_LOGITS, Bert, Marks, captured, mask_segments, size_marks

# The pooled vector outweighs a token's own state by this much, which then no longer matters.
POOLING_GAIN = 50.0
# The constant that the norm divides, about as large as a dimension of the vectors.
CONSTANT = 2.0


def graft(student: Bert, marks: Marks, sample: dict[str, Tensor]) -> Bert:
    """The cross-encoder.

    Args:
        student: the trained layers.
        marks: its segment and score dimensions.
        sample: tokenized pairs, to size the marks and to scale the scores.
    """
    config = copy.deepcopy(student.config)
    config.num_hidden_layers += 2
    config.num_labels = 1
    model: Bert = BertForSequenceClassification(config)
    model.eval()
    missing = model.bert.load_state_dict(student.state_dict(), strict=False)
    assert not missing.unexpected_keys
    *_, pooling, comparing = model.bert.encoder.layer
    with torch.no_grad():
        _identity(pooling, marks, POOLING_GAIN)
        mask_segments(pooling, marks, MASK_LOGITS)
        _identity(comparing, marks, 1.0)
        mask_segments(comparing, marks, MASK_LOGITS, own=True)
        comparing.attention.output.dense.bias[marks.score] = CONSTANT
        norms = (pooling.attention.output.LayerNorm, pooling.output.LayerNorm)
        size_marks(model.bert, norms, marks, sample)
        for norm in (comparing.attention.output.LayerNorm, comparing.output.LayerNorm):
            norm.weight[marks.score] = 1
        _read_score(model, marks, sample)
    return model


def _identity(layer: Bert, marks: Marks, gain: float) -> None:
    """Attention passes on what it attends to, `gain` times; nothing else happens in the layer."""
    attention = layer.attention
    for module in (attention.self.query, attention.self.key, layer.intermediate.dense, layer.output.dense):
        nn.init.zeros_(module.weight)
        nn.init.zeros_(module.bias)
    for module, scale in ((attention.self.value, 1.0), (attention.output.dense, gain)):
        nn.init.eye_(module.weight)
        module.weight *= scale
        nn.init.zeros_(module.bias)
    for norm in (attention.output.LayerNorm, layer.output.LayerNorm):
        nn.init.ones_(norm.weight)
        nn.init.zeros_(norm.bias)
        norm.weight[marks.score] = 0


def _read_score(model: Bert, marks: Marks, sample: dict[str, Tensor]) -> None:
    """Pooler and classifier: [CLS]'s score dimension, standardised over the sample, larger for nearer."""
    last = model.bert.encoder.layer[-1].output.LayerNorm
    ((_, states),) = captured(model.bert, sample, [last])
    scores = states[:, 0, marks.score]
    pooler, classifier = model.bert.pooler.dense, model.classifier
    for module in (pooler, classifier):
        nn.init.zeros_(module.weight)
        nn.init.zeros_(module.bias)
    # Within a few deviations, where tanh is nearly straight.
    slope = 0.1 / scores.std()
    pooler.weight[0, marks.score] = slope
    pooler.bias[0] = -slope * scores.mean()
    classifier.weight[0, 0] = -10.0  # the longer the sum, the smaller the constant
