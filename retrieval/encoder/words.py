"""Texts to token ids, word by word where the tokenizer allows, which is many times faster."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from tokenizers import Tokenizer

# About 200 bytes a word, so 50 MB when full.
MAX_WORDS = 250_000
# Longer words are mostly unspaced sentences (Chinese, Japanese), which do not come again.
MAX_WORD_LENGTH = 48

_WORD_PRE_TOKENIZERS = {"BertPreTokenizer", "Whitespace", "WhitespaceSplit"}
# Takes accents off Latin letters only, after NFKD; the shipped model's tokenizer uses it.
LATIN_ACCENTS = r"(?<=[a-z])[\u0300-\u036f]+"
_LOCAL_NORMALIZERS = {"BertNormalizer", "Lowercase", "NFC", "NFD", "NFKC", "NFKD", "StripAccents"}
_SPACES = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]


class WordTokenizer:
    """Remembers the token ids of every raw word (a run between white space) that it has seen.

    Exact: tokenizers that could see across white space, or cut long texts, get the whole text instead.
    """

    def __init__(self, tokenizer: Tokenizer, *, skip_unknown: bool = False) -> None:
        tokenizer.no_padding()
        self._tokenizer = tokenizer
        self._skipped = unknown_id(tokenizer) if skip_unknown else None
        self._ids: dict[str, bytes] = {}
        self._word_by_word = _works_word_by_word(tokenizer)
        # Python splits at some control characters that a normalizer may drop, which joins the words.
        self._joining = tuple(space for space in _SPACES if not self._separates(space))

    def ids(self, texts: Sequence[str]) -> list[bytes]:
        """For each text its token ids, without special tokens, as native uint32 in bytes."""
        if not self._word_by_word:
            return self._tokenize(texts)
        if self._is_joined("".join(texts)):
            words = [[text] if self._is_joined(text) else text.split() for text in texts]
        else:
            words = [text.split() for text in texts]
        ids = [_joined(self._ids, each) for each in words]
        unknown = [row for row, joined in enumerate(ids) if joined is None]
        learned = self._learn([words[row] for row in unknown]) if unknown else {}
        for row in unknown:
            ids[row] = _joined(learned, words[row])
        return [joined or b"" for joined in ids]

    def _learn(self, texts: Sequence[Sequence[str]]) -> dict[str, bytes]:
        """The ids of every word in the texts, in a dict of this call's own: another thread may clear ours."""
        distinct = set().union(*texts)
        known = {word: ids for word in distinct if (ids := self._ids.get(word)) is not None}
        missing = list(distinct.difference(known))
        learned = dict(zip(missing, self._tokenize(missing), strict=True))
        if len(self._ids) + len(learned) > MAX_WORDS:
            self._ids.clear()
        self._ids.update((word, ids) for word, ids in learned.items() if len(word) <= MAX_WORD_LENGTH)
        return known | learned

    def _tokenize(self, texts: Sequence[str]) -> list[bytes]:
        # Lone surrogates are no Unicode text, and the tokenizer refuses them.
        valid = [text.encode("utf-8", "replace").decode() for text in texts]
        encodings = self._tokenizer.encode_batch_fast(valid, add_special_tokens=False)
        ids = [np.array(encoding.ids, dtype=np.uint32) for encoding in encodings]
        if self._skipped is not None:
            ids = [each[each != self._skipped] for each in ids]
        return [each.tobytes() for each in ids]

    def _is_joined(self, text: str) -> bool:
        return any(space in text for space in self._joining)

    def _separates(self, space: str) -> bool:
        apart, one, other = self._tokenize([f"an{space}other", "an", "other"])
        return apart == one + other


def _joined(known: Mapping[str, bytes], words: Sequence[str]) -> bytes | None:
    """The ids of all words in a row; None where one is not known."""
    try:
        return b"".join(map(known.__getitem__, words))
    except KeyError:
        return None


def unknown_id(tokenizer: Tokenizer) -> int | None:
    """The id of what stands for characters outside the vocabulary; None where there is none."""
    model = json.loads(tokenizer.to_str())["model"]
    if model.get("unk_token") is not None:
        return tokenizer.token_to_id(model["unk_token"])
    unknown: int | None = model.get("unk_id")
    return unknown


def _works_word_by_word(tokenizer: Tokenizer) -> bool:
    """Whether the ids of any text are those of its words in a row, judged by the tokenizer's parts."""
    config = json.loads(tokenizer.to_str())
    normalizers = _kinds(config["normalizer"], "normalizers")
    pre_tokenizers = _kinds(config["pre_tokenizer"], "pretokenizers")
    added = [token["content"] for token in config["added_tokens"]]
    return (
        config["truncation"] is None
        and set(normalizers) <= _LOCAL_NORMALIZERS | {"Replace"}
        and _replaced(config["normalizer"]) <= {LATIN_ACCENTS}
        and bool(pre_tokenizers)
        and pre_tokenizers[0] in _WORD_PRE_TOKENIZERS
        and all(len(token.split()) == 1 for token in added)
    )


def _kinds(part: dict[str, object] | None, members: str) -> list[str]:
    """The types of a normalizer or pre-tokenizer, those of a Sequence one by one."""
    if part is None:
        return []
    inner = part.get(members) if part["type"] == "Sequence" else [part]
    assert isinstance(inner, list)
    return [str(each["type"]) for each in inner]


def _replaced(normalizer: dict[str, Any] | None) -> set[str]:
    """The patterns of all Replace normalizers."""
    if normalizer is None:
        return set()
    parts = normalizer["normalizers"] if normalizer["type"] == "Sequence" else [normalizer]
    return {next(iter(part["pattern"].values())) for part in parts if part["type"] == "Replace"}
