"""Bytes to text: which encoding was it?"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DECLARED = re.compile(rb"""(?:charset|encoding)\s*=\s*["']?\s*([A-Za-z0-9_.:-]{2,40})""")
# Python's names for what Windows really writes under the declared name.
WIDER = {
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
}
CANDIDATES = ("cp949", "cp932", "gb18030", "euc_jp", "big5")
SAMPLE = 1 << 18


def decode(data: bytes) -> str:
    """Text of bytes in an unknown encoding: a byte-order mark, what HTML or XML declares, UTF-8, a guess.

    Never fails: what cannot be read becomes U+FFFD.
    """
    for mark, name in BOMS:
        if data.startswith(mark):
            return data[len(mark) if name == "utf-8" else 0 :].decode(name, "replace")
    if utf16 := _utf16_without_mark(data):
        return data.decode(utf16, "replace")
    if b"\x1b$B" in data or b"\x1b$@" in data:
        return data.decode("iso2022_jp_2", "replace")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        # One bad byte in much good UTF-8 is damage, not another encoding.
        sound = data[: error.start].decode()
    if not sound.isascii() and _mostly_utf8(data):
        return data.decode("utf-8", "replace")
    return data.decode(_declared(data) or _guess(data), "replace")


def _utf16_without_mark(data: bytes) -> str:
    head = data[:2000]
    if len(head) < 4:
        return ""
    even, odd = head[0::2].count(0) / len(head), head[1::2].count(0) / len(head)
    if odd > 0.2 and even < 0.02:
        return "utf-16-le"
    return "utf-16-be" if even > 0.2 and odd < 0.02 else ""


def _mostly_utf8(data: bytes) -> bool:
    text = data[:SAMPLE].decode("utf-8", "replace")
    bad, beyond_ascii = text.count("\ufffd"), sum(c > "\x7f" for c in text)
    return bad * 10 < beyond_ascii


def _declared(data: bytes) -> str:
    match = DECLARED.search(data[:4096])
    try:
        name = codecs.lookup(match[1].decode()).name if match else ""
    except LookupError:
        return ""
    name = WIDER.get(name, name)
    return name if name and not name.startswith(("utf", "ascii")) and _fits(data, name) else ""


def _fits(data: bytes, name: str) -> bool:
    text = data[:SAMPLE].decode(name, "replace")
    return text.count("\ufffd") * 100 < max(len(text), 1)


def _guess(data: bytes) -> str:
    """East Asian encodings by how common the characters are; the rest by charset-normalizer."""
    sample = data[:SAMPLE]
    best, best_share = "", 0.6
    for name in CANDIDATES:
        text = sample.decode(name, "replace")
        wide = [c for c in text if c > "\x7f"]
        if not wide or text.count("\ufffd") * 50 > len(wide):
            continue
        kana = sum("\u3040" <= c <= "\u30ff" for c in wide)
        if kana * 10 > len(wide) and name in {"gb18030", "big5"}:
            continue  # Chinese tables hold kana too, at EUC-JP's places
        share = sum(map(_everyday, wide)) / len(wide)
        if share > best_share + 0.02:
            best, best_share = name, share
    if best:
        return best
    matches = from_bytes(sample, cp_exclusion=["utf_7"])
    best_match = matches.best()
    if best_match is None:
        return "cp1252"
    western = any("cp1252" in m.could_be_from_charset and m.chaos <= best_match.chaos for m in matches)
    # š and ž, which Czech, Slovak and Croatian texts are full of and western ones are not
    central = any(letter in sample for letter in b"\x8a\x8e\x9a\x9e")
    return "cp1252" if western and not central else best_match.encoding


def _everyday(character: str) -> bool:
    """What a text in the right encoding is made of: Hangul, kana, the common half of Han, punctuation."""
    # Level-1 kanji and GB2312 level-1 hanzi are the common ones: they come first in their tables.
    if (
        "\uac00" <= character <= "\ud7a3"
        or "\u3040" <= character <= "\u30ff"
        or "\u3000" <= character <= "\u303f"
    ):
        return True
    if "\u4e00" <= character <= "\u9fff":
        try:
            lead = character.encode("gb2312")[0]
        except UnicodeEncodeError:
            return False
        return 0xB0 <= lead <= 0xD7
    return "\uff00" <= character <= "\uff5e"
