"""The tokenizer of the base model: one WordPiece vocabulary for English, Korean, Japanese and Chinese.

Splitting a text on white space and tokenizing each raw word alone gives exactly the ids of the whole text:
every normalizer works within a word, and the pre-tokenizer never joins words. The fast encoder relies on it.
(The C0 separators are not white space to the tokenizer; `WordTokenizer` takes texts that hold them whole.)
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from retrieval.encoder.words import LATIN_ACCENTS

UNKNOWN = "[UNK]"
_ASCII_PIECE = re.compile(r"(##)?[\x21-\x7e]+")
HANGUL = r"[\uac00-\ud7a3]"
HIRAGANA = r"[\u3041-\u309f]"
KATAKANA = r"[\u30a0-\u30ff]"
_IDEOGRAPHS = r"[\u3400-\u4dbf\u4e00-\u9fff]"
_IDEOGRAPH = re.compile(_IDEOGRAPHS)


def build_tokenizer(pieces: Sequence[str]) -> Tokenizer:
    """A tokenizer over `pieces` (their ids are their positions; `[UNK]` must be among them).

    NFKC, lower case, accents off Latin letters only: Hangul and kana are taken apart and put together again,
    so nothing is lost. Ideographs stand alone; runs of hiragana, katakana and Hangul are words of their own.
    """
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.NFKD(),
            normalizers.BertNormalizer(
                clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=True
            ),
            normalizers.Replace(Regex(LATIN_ACCENTS), ""),
            normalizers.NFKC(),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.BertPreTokenizer(),
            pre_tokenizers.Split(Regex(_IDEOGRAPHS), "isolated"),
            pre_tokenizers.Split(Regex(f"{HIRAGANA}+|{KATAKANA}+|{HANGUL}+"), "isolated"),
        ]
    )
    return tokenizer


def symbols() -> list[str]:
    """Greek letters and the commonest signs outside ASCII, each alone and as a continuation."""
    signs = [chr(code) for code in range(0x3B1, 0x3CA)] + list(
        "°±×÷·§©®€£¥‘’“”–—…•→←「」『』、。〈〉《》【】"
    )
    return [*signs, *("##" + sign for sign in signs)]


def english_pieces(bert_vocabulary: Iterable[str], counts: Counter[str], *, size: int) -> list[str]:
    """The `size` of BERT's ASCII pieces that `counts` has most often; single characters always."""
    pieces = [piece for piece in bert_vocabulary if _ASCII_PIECE.fullmatch(piece)]
    pieces = [piece for piece in pieces if len(piece) == 1 or not piece.startswith("[")]
    ranked = sorted(pieces, key=lambda piece: (len(piece.removeprefix("##")) > 1, -counts[piece]))
    return ranked[:size]


def learned_pieces(texts: Iterable[str], *, script: str, size: int) -> list[str]:
    """The `size` WordPiece pieces of the words of `texts` that consist of `script`, a character class."""
    blank = build_tokenizer([UNKNOWN])
    only_script = re.compile(f"{script}+")
    words = Counter(word for text in texts for word in _words(blank, text) if only_script.fullmatch(word))
    trainer = trainers.WordPieceTrainer(
        vocab_size=size + 1,
        min_frequency=3,
        special_tokens=[UNKNOWN],
        continuing_subword_prefix="##",
        show_progress=False,
    )
    learner = Tokenizer(models.WordPiece({UNKNOWN: 0}, unk_token=UNKNOWN))
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    learner.train_from_iterator(_repeated(words), trainer)
    by_id = sorted(learner.get_vocab().items(), key=lambda item: item[1])
    return [piece for piece, _ in by_id if piece != UNKNOWN]


def both_forms(characters: Iterable[str]) -> list[str]:
    """Each character alone and as a continuation, so that no word is unknown for the lack of one."""
    return [form for char in characters for form in (char, "##" + char)]


def ideographs(texts: Iterable[str]) -> list[str]:
    """The ideographs of everyday Japanese (JIS level 1), and those of `texts` seen at least 5 times."""
    counts = Counter(
        char for text in texts for char in _IDEOGRAPH.findall(unicodedata.normalize("NFKC", text))
    )
    level_1 = bytes(b for row in range(0xB0, 0xD0) for cell in range(0xA1, 0xFF) for b in (row, cell))
    everyday = _IDEOGRAPH.findall(level_1.decode("euc_jp", errors="ignore"))
    return list(dict.fromkeys([*everyday, *(char for char, count in counts.items() if count >= 5)]))


def _words(tokenizer: Tokenizer, text: str) -> list[str]:
    assert tokenizer.normalizer is not None and tokenizer.pre_tokenizer is not None
    normalised = tokenizer.normalizer.normalize_str(text)
    return [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normalised)]


def _repeated(words: Counter[str]) -> Iterable[str]:
    """Each word as often as it was seen, up to 200 times: enough to order the merges."""
    for word, count in words.items():
        yield " ".join([word] * min(count, 200))
