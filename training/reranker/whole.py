"""The whole cross-encoder: all of MiniLM's layers under a comparison that no step of training has touched."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import BertModel

from retrieval.reranker.twin import TwinBert, TwinBertConfig
from training.reranker.layers import Bert
from training.reranker.prune import keep_vocabulary
from training.reranker.vocabulary import SPECIAL

LEAST_WEIGHT = 0.05  # of a token that nearly every passage has


def make_whole(teacher: Path, rows: Sequence[int], tokenizer: Tokenizer, passages: Sequence[str]) -> Bert:
    """The bi-encoder in `teacher` as a cross-encoder, with these rows of its vocabulary.

    Args:
        tokenizer: that of the rows.
        passages: tell which tokens tell passages apart.
    """
    config = TwinBertConfig.from_pretrained(teacher, num_labels=1)
    model: Bert = TwinBert(config)
    encoder: Bert = BertModel.from_pretrained(teacher, add_pooling_layer=False, dtype=torch.float32)
    model.bert.load_state_dict(encoder.state_dict())
    model = keep_vocabulary(model, rows)
    with torch.no_grad():
        model.comparison.term_weights[:] = term_weights(tokenizer, passages)
    return model.eval()


def term_weights(tokenizer: Tokenizer, passages: Sequence[str]) -> Tensor:
    """(vocabulary,): the logarithm of how few of the passages have the token; 0 for special ones."""
    counts = torch.zeros(tokenizer.get_vocab_size())
    for encoding in tokenizer.encode_batch_fast(list(passages), add_special_tokens=False):
        counts[list({*encoding.ids})] += 1
    weights = torch.log((len(passages) + 1) / (counts + 0.5)).clamp(min=LEAST_WEIGHT)
    weights[[tokenizer.token_to_id(token) for token in SPECIAL]] = 0.0
    return weights
