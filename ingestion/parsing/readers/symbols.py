"""Characters of the symbol fonts, which office programs store by their place in the font."""

from __future__ import annotations

PRIVATE = 0xF000  # where the fonts' places lie in Unicode's private use area
GREEK = dict(zip(
    "ABCDEFGHIKLMNOPQRSTUXYWZabcdefghiklmnopqrstuxywzjJ",
    "ΑΒΧΔΕΦΓΗΙΚΛΜΝΟΠΘΡΣΤΥΞΨΩΖαβχδεφγηικλμνοπθρστυξψωζϕϑ", strict=True,
))  # fmt: skip
SIGNS = dict(zip(
    (
        0x22, 0x24, 0x27, 0x2A, 0x2D, 0x40, 0x5C, 0x5E, 0x7E, 0xA1, 0xA2, 0xA3, 0xA5, 0xA6, 0xAB, 0xAC, 0xAD,
        0xAE, 0xAF, 0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0xB9, 0xBA, 0xBB, 0xBC, 0xC5, 0xC6,
        0xC7, 0xC8, 0xC9, 0xCA, 0xCC, 0xCD, 0xCE, 0xCF, 0xD0, 0xD1, 0xD2, 0xD3, 0xD4, 0xD5, 0xD6, 0xD7, 0xD8,
        0xD9, 0xDA, 0xDB, 0xDC, 0xDE, 0xE5, 0xF2,
    ),
    "∀∃∋∗−≅∴⊥∼ϒ′≤∞ƒ↔←↑→↓°±″≥×∝∂•÷≠≡≈…⊕∅∩∪⊃⊇⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇒∑∫", strict=True,
))  # fmt: skip
SYMBOL = {**GREEK, **{chr(place): sign for place, sign in SIGNS.items()}}
WINGDINGS = {
    "l": "●", "n": "■", "o": "☐", "q": "☐", "r": "☐", "u": "◆", "v": "❖", "w": "◆", "x": "☒", "\x9f": "•",
    "\xa1": "○", "\xa7": "▪", "\xa8": "☐", "\xd8": "➢", "\xdf": "←", "\xe0": "→", "\xe1": "↑", "\xe2": "↓",
    "\xe8": "➔", "\xef": "⇦", "\xf0": "⇨", "\xfb": "✗", "\xfc": "✓", "\xfd": "☒", "\xfe": "☑",
}  # fmt: skip
FONTS = {"symbol": SYMBOL, "wingdings": WINGDINGS}


def shown(text: str, font: str) -> str:
    """Text with the symbols of a font as Unicode has them; symbols of fonts that are not known become "•"."""
    known = FONTS.get(font.lower(), {})
    return "".join(_character(c, known) for c in text)


def _character(character: str, known: dict[str, str]) -> str:
    if PRIVATE <= ord(character) < PRIVATE + 0x100:
        character = chr(ord(character) - PRIVATE)
        return known.get(character, character if known is SYMBOL else "•")
    return character


def of_code(code: str, font: str) -> str:
    """The character of a hexadecimal code in a font, '' for what is no code."""
    try:
        place = int(code, 16)
        character = chr(place)
    except (ValueError, OverflowError):
        return ""
    if font.lower() in FONTS and place < 0x100:
        character = chr(PRIVATE + place)
    return shown(character, font)
