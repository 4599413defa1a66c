"""Tiny random cross-encoders of the architectures that people name, in sentence-transformers' layout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokenizers import Tokenizer, models, pre_tokenizers, processors

if TYPE_CHECKING:
    from retrieval.reranker.twin import TwinBert
    from training.reranker.batches import Tokens
    from training.reranker.examples import Examples

WORDS = [f"w{i}" for i in range(60)]
SMALL: dict[str, Any] = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "num_labels": 1,
    "initializer_range": 0.5,
}


def bert(folder: Path, *, num_labels: int = 1) -> Path:
    """A network built like cross-encoder/ms-marco-MiniLM-L6-v2."""
    from transformers import BertConfig, BertForSequenceClassification

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    config = BertConfig(vocab_size=64, max_position_embeddings=128, **SMALL | {"num_labels": num_labels})
    template = ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B:1 [SEP]:1")
    return _save(folder, BertForSequenceClassification, config, special, template)


def twin(folder: Path) -> Path:
    """A network built like the shipped one: each text of a pair between its own special tokens."""
    from retrieval.reranker.twin import TwinBert, TwinBertConfig

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    config = TwinBertConfig(vocab_size=64, max_position_embeddings=128, **SMALL)
    template = ("[CLS] $A [SEP]", "[CLS] $A [SEP] [CLS]:1 $B:1 [SEP]:1")
    return _save(folder, TwinBert, config, special, template)


def twin_network(
    *, layers: int = 2, heads: int = 4, head_size: int = 12, feed_forward: int = 64, seed: int = 0
) -> TwinBert:
    """The shipped one's architecture alone, with room for 60 tokens and 128 positions."""
    import torch

    from retrieval.reranker.twin import TwinBert, TwinBertConfig

    torch.manual_seed(seed)
    config = TwinBertConfig(
        vocab_size=60,
        hidden_size=heads * head_size,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=feed_forward,
        max_position_embeddings=128,
        initializer_range=0.15,
        num_labels=1,
    )
    return TwinBert(config).eval()


def toy_examples() -> tuple[Examples, Tokens]:
    """Passages of tokens that `twin_network` has, the queries two of a passage's own; and these tokens."""
    import numpy as np

    from training.reranker.batches import Tokens
    from training.reranker.examples import Example, Examples

    random = np.random.default_rng(0)
    passages = [np.array([2, *random.permutation(np.arange(4, 60))[:6], 3]) for _ in range(200)]
    queries = [np.array([2, *random.permutation(passage[1:-1])[:2], 3]) for passage in passages for _ in "ab"]
    made = [
        Example(number, number, (2 * number, 2 * number + 1), ((number + 1) % 150, (number + 7) % 150))
        for number in range(200)
    ]
    names = [
        [f"{kind} {number}" for number in range(len(of))] for kind, of in (("q", queries), ("p", passages))
    ]
    return Examples(names[0], names[1], made[:150], made[150:]), Tokens(queries, passages)


def xlm_roberta(folder: Path) -> Path:
    """A network built like BAAI/bge-reranker-v2-m3: no token types, positions from the padding's id."""
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    special = ["<s>", "<pad>", "</s>", "<unk>"]
    config = XLMRobertaConfig(
        vocab_size=64, max_position_embeddings=130, type_vocab_size=1, pad_token_id=1, **SMALL
    )
    template = ("<s> $A </s>", "<s> $A </s> </s> $B </s>")
    return _save(folder, XLMRobertaForSequenceClassification, config, special, template)


def modern_bert(folder: Path) -> Path:
    """A network built like the ettin rerankers: rotary positions, local attention in most layers."""
    from transformers import ModernBertConfig, ModernBertForSequenceClassification

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    config = ModernBertConfig(
        vocab_size=64,
        max_position_embeddings=128,
        pad_token_id=0,
        cls_token_id=2,
        sep_token_id=3,
        bos_token_id=2,
        eos_token_id=3,
        local_attention=16,
        initializer_cutoff_factor=3.0,
        **SMALL,
    )
    template = ("[CLS] $A [SEP]", "[CLS] $A [SEP] $B [SEP]")
    return _save(folder, ModernBertForSequenceClassification, config, special, template)


def _save(folder: Path, network: Any, config: Any, special: list[str], template: tuple[str, str]) -> Path:
    import torch
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(
        models.WordLevel({t: i for i, t in enumerate([*special, *WORDS])}, unk_token=_of(special, "unk"))
    )
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=template[0], pair=template[1], special_tokens=list(zip(special, range(4), strict=True))
    )
    typed = ["token_type_ids"] if ":1" in template[1] else []
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=_of(special, "unk"),
        pad_token=_of(special, "pad"),
        cls_token=special[2] if special[2] == "[CLS]" else special[0],
        sep_token=special[3] if special[3] == "[SEP]" else special[2],
        model_input_names=["input_ids", *typed, "attention_mask"],
        model_max_length=128,
    ).save_pretrained(folder)
    torch.manual_seed(7)
    network(config).save_pretrained(folder)
    return folder


def _of(special: list[str], name: str) -> str:
    return next(token for token in special if name in token.lower())
