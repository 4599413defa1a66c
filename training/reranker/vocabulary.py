"""A smaller WordPiece vocabulary for English: fewer rows, the same tokenizer otherwise."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
PIECE = re.compile(r"(##)?[a-z0-9]+")
SYMBOLS = set("°±×÷µ€£¥§©®™…–—‘’“”•→≤≥≈√∞∑∆²³½¼αβγδεζηθικλμνξοπρστυφχψω")


def english_vocabulary(teacher: Path, texts: Iterable[str], size: int) -> list[int]:
    """The rows of the teacher's vocabulary to keep, in their old order.

    All special tokens, single characters and common symbols stay, so that any Latin text has tokens. Of the
    others, those that the texts use most; where they say nothing, BERT's order, which is by frequency.
    """
    tokenizer, counts = _counted(teacher, texts)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    kept = {row for token, row in vocabulary if _needed(token)}
    pieces = [row for token, row in vocabulary if row not in kept and PIECE.fullmatch(token)]
    # Half by the texts, half by BERT's own order: the model also reads what it was not trained on.
    by_texts = sorted(pieces, key=lambda row: -counts[row])
    kept.update(by_texts[: (size - len(kept)) // 2])
    kept.update([row for row in pieces if row not in kept][: size - len(kept)])
    return sorted(kept)


def used_rows(folder: Path, texts: Iterable[str]) -> list[int]:
    """The rows of a vocabulary that the texts use, in their old order; those that any text needs stay too.

    Tokens of these texts stay as they are: WordPiece takes the longest piece that it finds, and none of those
    that it found is lost.
    """
    tokenizer, counts = _counted(folder, texts)
    return sorted(row for token, row in tokenizer.get_vocab().items() if counts[row] or _needed(token))


def save_tokenizer(teacher: Path, rows: list[int], folder: Path, max_length: int) -> None:
    """tokenizer.json and its configuration for the kept rows, numbered anew from 0."""
    spec: dict[str, Any] = json.loads((teacher / "tokenizer.json").read_text(encoding="utf-8"))
    new_id = {row: number for number, row in enumerate(rows)}
    vocabulary = spec["model"]["vocab"]
    spec["model"]["vocab"] = {token: new_id[row] for token, row in vocabulary.items() if row in new_id}
    for token in spec["added_tokens"]:
        token["id"] = new_id[token["id"]]
    for token in spec["post_processor"]["special_tokens"].values():
        token["ids"] = [new_id[row] for row in token["ids"]]
    spec["padding"] = spec["truncation"] = None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokenizer.json").write_text(json.dumps(spec, ensure_ascii=False), encoding="utf-8")
    config = json.loads((teacher / "tokenizer_config.json").read_text(encoding="utf-8"))
    config = {key: value for key, value in config.items() if key != "name_or_path"}
    config |= {"model_max_length": max_length, "tokenizer_class": "BertTokenizerFast"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")


def _counted(folder: Path, texts: Iterable[str]) -> tuple[Tokenizer, Counter[int]]:
    """The folder's tokenizer, and how often the texts use each row."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    counts: Counter[int] = Counter()
    for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
        counts.update(encoding.ids)
    return tokenizer, counts


def _needed(token: str) -> bool:
    character = token.removeprefix("##")
    return token in SPECIAL or (len(character) == 1 and (character.isascii() or character in SYMBOLS))
