"""Stemmers and stop words of each language that BM25 knows (Snowball's, as the engine has them)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from qdrant_edge import Bm25, Bm25Config, DisabledStemmer, Language, StopwordsSet, TokenizerType

DEFAULT = "en"
# ISO 639-1 to the engine's name: the languages that it has both a stemmer and stop words of.
STEMMED = {
    "ar": "Arabic", "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "fi": "Finnish", "fr": "French", "hu": "Hungarian", "it": "Italian", "nl": "Dutch", "no": "Norwegian",
    "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sv": "Swedish", "tr": "Turkish",
}  # fmt: skip
# The engine takes accents off before it looks for stop words, so those with one are named again.
_FOLDED_STOP_WORDS = {
    "da": "pa nar ogsa",
    "de": "fur uber konnen konnte wurde wurden wahrend",
    "es": "mas tambien estan si habia habeis sera estara",
    "fi": "etta tama nama han siita mika mita sita tahan tassa hanen mina sina hanet missa eivat",
    "fr": "a ete etee etees etes meme etaient etait etes etant",
    "hu": "es mar igy tobb utan altal azutan kozott egyeb uj at ossze nehany sajat szamara ezert",
    "it": "piu perche sara",
    "no": "pa nar ogsa sa vaere bade a",
    "pt": "nao ja ate voce voces sao tambem ha esta estao so sera eramos",
    "ro": "pana doua",
    "sv": "ar pa for fran nar dar sa da at over an nagon nagot nagra sjalv sadan",
    "tr": "icin cok sey nasil su cunku nicin hic",
}
# A third to a half of running text are stop words of its language; of an unrelated one, less than a seventh.
_ENOUGH_STOP_WORDS, _AHEAD = 0.15, 1.1
_SAMPLE = 20_000  # characters


def bm25(language: str, k: float, b: float, average_length: float) -> Bm25:
    """The engine's BM25 for texts of one of `STEMMED`, without accents."""
    name = STEMMED[language]
    folded = set(_FOLDED_STOP_WORDS.get(language, "").split())
    return Bm25(
        Bm25Config(
            k=k,
            b=b,
            avg_len=average_length,
            tokenizer=TokenizerType.Word,
            language=name.lower(),
            stopwords=StopwordsSet(languages={getattr(Language, name)}, custom=folded),
            ascii_folding=True,
        )
    )


def stemmed_as(language: str) -> str:
    """Return the one of `STEMMED` that texts of a language are stemmed by."""
    return language if language in STEMMED else DEFAULT


def language_of(texts: Iterable[str]) -> str:
    """The one of `STEMMED` that texts of one language are written in, by their stop words; "" where unclear.

    For sets of which only the texts are known. Needs some hundred words.
    """
    sample = _sample(texts)
    words = _words(sample, None)
    shares = (
        sorted(((1 - _words(sample, code) / words, code) for code in STEMMED), reverse=True) if words else []
    )
    if not shares or shares[0][0] < max(_ENOUGH_STOP_WORDS, _AHEAD * shares[1][0]):
        return ""
    return shares[0][1]


def _sample(texts: Iterable[str]) -> str:
    """The first texts, as many as are needed."""
    found: list[str] = []
    room = _SAMPLE
    for text in texts:
        found.append(text[:room])
        room -= len(text)
        if room <= 0:
            break
    return " ".join(found)


def _words(text: str, language: str | None) -> float:
    """How many words of a text are no stop words of a language (None: all words)."""
    return float(sum(_counter(language).embed_document(text).values))


@cache
def _counter(language: str | None) -> Bm25:
    """A model whose weights are counts: so late a saturation, and no normalisation by length."""
    languages = {getattr(Language, STEMMED[language])} if language else set()
    return Bm25(
        Bm25Config(
            k=1e6,
            b=0.0,
            avg_len=1.0,
            tokenizer=TokenizerType.Word,
            stopwords=StopwordsSet(languages=languages, custom=set()),
            stemmer=DisabledStemmer(),
        )
    )
