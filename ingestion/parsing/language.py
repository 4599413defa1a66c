"""Which language is a text in? By script where that says it, else by kreuzberg's detector (whatlang)."""

from __future__ import annotations

import re
from collections.abc import Callable

SAMPLE = 20_000  # characters
SCRIPTS = (
    # Order matters: Japanese and Korean texts hold Han as well.
    ("ko", re.compile(r"[\uac00-\ud7a3\u1100-\u11ff]"), 0.15),
    ("ja", re.compile(r"[\u3040-\u30ff]"), 0.10),
    ("zh", re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf]"), 0.20),
    ("he", re.compile(r"[\u0590-\u05ff]"), 0.3),
    ("th", re.compile(r"[\u0e00-\u0e7f]"), 0.3),
    ("el", re.compile(r"[\u0370-\u03ff]"), 0.5),
)
ACCENTED = re.compile(r"[\u00c0-\u024f\u0400-\u07ff]")
LETTERS = re.compile(r"[^\W\d_]")
ISO_639_1 = {
    "eng": "en", "fra": "fr", "deu": "de", "spa": "es", "por": "pt", "ita": "it", "nld": "nl", "swe": "sv",
    "dan": "da", "nob": "no", "fin": "fi", "pol": "pl", "ces": "cs", "slk": "sk", "hun": "hu", "ron": "ro",
    "rus": "ru", "ukr": "uk", "bul": "bg", "srp": "sr", "hrv": "hr", "slv": "sl", "tur": "tr", "vie": "vi",
    "ind": "id", "ara": "ar", "fas": "fa", "pes": "fa", "hin": "hi", "ben": "bn", "cat": "ca", "est": "et",
    "lav": "lv", "lit": "lt", "afr": "af", "cmn": "zh", "jpn": "ja", "kor": "ko", "heb": "he", "ell": "el",
    "tha": "th", "mkd": "mk", "bel": "be", "tam": "ta", "tel": "te", "urd": "ur", "kat": "ka", "hye": "hy",
}  # fmt: skip


# Trigram detectors err on a line or two; the commonest words do not.
COMMON_WORDS = {
    "en": "the of and to in is for that with are this be on as by it from was",
    "de": "der die und das ist nicht den von zu mit ein eine für auf dem des im werden sich",
    "fr": "le la les des et est une dans pour que qui sur du au pas par plus ce cette",
    "es": "el los las y en una por con para del que se es al como más su lo",
    "pt": "o os as e em uma por com para do da dos que não ao como mais no na",
    "it": "il gli di che è per una del della con non sono nel alla si le i lo",
    "nl": "de het een en van is dat op te niet zijn voor met aan er door ook om",
}
VOTERS = {code: frozenset(words.split()) for code, words in COMMON_WORDS.items()}
ENOUGH_LETTERS = 300  # from here on the detector is trusted


def _vote(sample: str) -> str:
    words = re.findall(r"[^\W\d_]+", sample[:4000].lower())
    votes = sorted(((sum(w in voters for w in words), code) for code, voters in VOTERS.items()), reverse=True)
    (most, winner), (second, _) = votes[0], votes[1]
    return winner if most >= 2 and most > 1.3 * second and most * 8 >= len(words) else ""


def language_of(text: str, detect: Callable[[str], str]) -> str:
    """ISO 639-1 code, or '' for texts too short to tell. `detect` gives ISO 639-3 for an alphabetic text."""
    sample = text[:SAMPLE]
    letters = len(LETTERS.findall(sample))
    if letters < 2:
        return ""
    for code, script, share in SCRIPTS:
        if len(script.findall(sample)) >= share * letters:
            return code
    if winner := _vote(sample):
        return winner
    accented = len(ACCENTED.findall(sample))
    return ISO_639_1.get(detect(sample), "") if letters >= ENOUGH_LETTERS or accented * 20 > letters else ""
