"""Names in zip files as people gave them, though few programs say in which encoding they wrote them."""

from __future__ import annotations

import struct
import unicodedata
import zipfile
from collections.abc import Callable, Sequence

UTF8_FLAG = 0x800
UNICODE_PATH = 0x7075  # the extra field of Info-ZIP, version 1: a checksum, then the name in UTF-8
EAST_ASIAN = ("cp949", "cp932", "gb18030", "cp950")
WESTERN = ("cp437", "cp850", "cp852", "cp866", "cp1252", "cp1251")
LEAST = 0.7  # of the characters beyond ASCII must be usual ones in their encoding
# The common half of each encoding, by its bytes: Hangul of KS X 1001, kana and the first level of Han.
COMMON = {
    "cp949": [(b"\xb0\xa1", b"\xc8\xfe")],
    "cp932": [(b"\x81\x41", b"\x81\x7a"), (b"\x82\x9f", b"\x83\x96"), (b"\x88\x9f", b"\x98\x72")],
    "gb18030": [(b"\xa1\xa2", b"\xa1\xbf"), (b"\xb0\xa1", b"\xd7\xf9")],
    "cp950": [(b"\xa4\x40", b"\xc6\x7e")],
}


def member_names(members: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The name of each member, composed (NFC), with slashes; old names share one encoding."""
    raw = {id(info): info.orig_filename.encode("cp437") for info in members if not info.flag_bits & UTF8_FLAG}
    charset = _charset([name for name in raw.values() if not name.isascii()])
    names = []
    for info in members:
        old = raw.get(id(info))
        name = info.filename if old is None else _unicode_path(info) or old.decode(charset, "replace")
        name = name if "/" in name else name.replace("\\", "/")
        names.append(unicodedata.normalize("NFC", name))
    return names


def _unicode_path(info: zipfile.ZipInfo) -> str:
    place = 0
    while place + 4 <= len(info.extra):
        kind, size = struct.unpack_from("<HH", info.extra, place)
        if kind == UNICODE_PATH and size > 5:
            return info.extra[place + 9 : place + 4 + size].decode("utf-8", "replace")
        place += 4 + size
    return ""


def _charset(names: list[bytes]) -> str:
    try:
        b"".join(names).decode()
        return "utf-8"
    except UnicodeDecodeError:
        pass
    for charset in EAST_ASIAN:
        if _usual(names, charset, _east_asian) >= LEAST:
            return charset
    return max(WESTERN, key=lambda charset: _usual(names, charset, _western))


def _usual(names: list[bytes], charset: str, is_usual: Callable[[str, int, str], bool]) -> float:
    """The share of the characters beyond ASCII that names in this encoding are likely to have."""
    found: list[bool] = []
    for name in names:
        try:
            text = name.decode(charset)
        except UnicodeDecodeError:
            return 0.0
        found += [
            is_usual(text, place, charset) for place, character in enumerate(text) if character > "\x7f"
        ]
    return sum(found) / len(found)


def _east_asian(text: str, place: int, charset: str) -> bool:
    """Whether a character is a common one; an umlaut and the letter behind it may look like a rare one."""
    encoded = text[place].encode(charset)
    around = text[max(place - 1, 0) : place] + text[place + 1 : place + 2]
    in_word = encoded[-1] < 0x80 and any(c.isascii() and c.isalpha() for c in around)
    return not in_word and any(low <= encoded <= high for low, high in COMMON[charset])


def _western(text: str, place: int, charset: str) -> bool:
    """Whether a letter is of the script of those around it, and no capital within a word of small ones."""
    character = text[place]
    before, after = text[max(place - 1, 0) : place], text[place + 1 : place + 2]
    if not character.isalpha():
        return False
    if "\u0400" <= character <= "\u04ff":
        return any("\u0400" <= c <= "\u04ff" for c in before + after)
    letters = [c.isascii() for c in text.rpartition(".")[0] or text if c.isalpha()]
    is_latin = "LATIN" in unicodedata.name(character, "") and sum(letters) * 2 >= len(letters)
    return is_latin and not (character.isupper() and before.islower())
