"""The WordPiece vocabulary of English: fewer rows, the same tokenizer otherwise."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PIECE = re.compile(r"(##)?[a-z0-9]+")
SYMBOLS = set("°±×÷µ€£¥§©®™…–—‘’“”•→≤≥≈√∞∑∆²³½¼αβγδεζηθικλμνξοπρστυφχψω")


def english_vocabulary(teacher: Path) -> list[int]:
    """The rows of the teacher's vocabulary to keep, in their old order: pieces of English words, and symbols.

    All of them: with half, rarer words fell into pieces that the teacher never saw together, and a third of
    what reranking gained was gone. Special tokens, single characters and common symbols stay, so that Latin
    text always has tokens; other scripts become unknown ones.
    """
    vocabulary = Tokenizer.from_file(str(teacher / "tokenizer.json")).get_vocab()
    return sorted(row for token, row in vocabulary.items() if _needed(token) or PIECE.fullmatch(token))


def used_rows(folder: Path, texts: Iterable[str]) -> list[int]:
    """The rows of a vocabulary that the texts use, in their old order; those that any text needs stay too.

    Tokens of these texts stay as they are: WordPiece takes the longest piece that it finds, and none of those
    that it found is lost.
    """
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
    used = {row for encoding in encodings for row in encoding.ids}
    return sorted(row for token, row in tokenizer.get_vocab().items() if row in used or _needed(token))


def save_tokenizer(teacher: Path, rows: list[int], folder: Path, max_length: int) -> None:
    """tokenizer.json and its configuration for the kept rows, numbered anew from 0, and for pairs.

    Each text of a pair begins with [CLS] and ends with [SEP], as it does alone (`retrieval.reranker.twin`).
    """
    spec: dict[str, Any] = json.loads((teacher / "tokenizer.json").read_text(encoding="utf-8"))
    new_id = {row: number for number, row in enumerate(rows)}
    vocabulary = spec["model"]["vocab"]
    spec["model"]["vocab"] = {token: new_id[row] for token, row in vocabulary.items() if row in new_id}
    for token in spec["added_tokens"]:
        token["id"] = new_id[token["id"]]
    for token in spec["post_processor"]["special_tokens"].values():
        token["ids"] = [new_id[row] for row in token["ids"]]
    spec["post_processor"]["pair"] = [
        part for segment, text in enumerate("AB") for part in _template(text, segment)
    ]
    spec["padding"] = spec["truncation"] = None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    config = json.loads((teacher / "tokenizer_config.json").read_text(encoding="utf-8"))
    config = {key: value for key, value in config.items() if key != "name_or_path"}
    config |= {"model_max_length": max_length, "tokenizer_class": "PreTrainedTokenizerFast"}
    config["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")


def _template(text: str, segment: int) -> list[dict[str, Any]]:
    """[CLS] text [SEP], as tokenizer.json writes it."""
    kinds = (("SpecialToken", "[CLS]"), ("Sequence", text), ("SpecialToken", "[SEP]"))
    return [{kind: {"id": name, "type_id": segment}} for kind, name in kinds]


def _needed(token: str) -> bool:
    character = token.removeprefix("##")
    return token in SPECIAL or (len(character) == 1 and (character.isascii() or character in SYMBOLS))
