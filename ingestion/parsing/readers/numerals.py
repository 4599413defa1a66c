"""Automatic numbers as office programs show them: 3 -> "iii", "C", "다", "③"."""

from __future__ import annotations

from collections.abc import Callable

HANGUL = "가나다라마바사아자차카타파하"
CONSONANTS = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"
KANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
IROHA = "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセス"
HANGUL_STEMS = "갑을병정무기경신임계"
STEMS = "甲乙丙丁戊己庚辛壬癸"
BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
CYRILLIC = "абвгдежзиклмнопрстуфхцчшщыэюя"
ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"),
    (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
HAN_DIGITS, HANGUL_DIGITS, SINO_KOREAN = "〇一二三四五六七八九", "영일이삼사오육칠팔구", "十百千"
FULL_WIDTH = {ord(figure): ord(figure) + 0xFEE0 for figure in "0123456789"}
MOST = 100_000  # greater numbers are shown as they are


def numeral(number: int, form: str) -> str:
    """The number in a form of WordprocessingML (ST_NumberFormat); in figures where that is unknown."""
    if form.startswith("decimalZero"):  # decimalZero4 is our name for Word's "0001, 0002, ..."
        return f"{number:0{form.removeprefix('decimalZero') or 2}}"
    make = FORMS.get(form)
    return make(number) if make and 0 < number < MOST else str(number)


def _roman(number: int) -> str:
    out = ""
    for value, letters in ROMAN:
        out += letters * (number // value)
        number %= value
    return out


def _repeated(letters: str) -> Callable[[int], str]:
    """a, b, ... z, aa, bb, as Word counts."""
    return lambda number: letters[(number - 1) % len(letters)] * min((number - 1) // len(letters) + 1, 20)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _from_block(first: str, size: int, before: str = "", after: str = "") -> Callable[[int], str]:
    """Characters that follow each other in Unicode; beyond the last, the plain figure in marks."""
    return lambda number: chr(ord(first) + number - 1) if number <= size else f"{before}{number}{after}"


def _counted(digits: str, powers: str) -> Callable[[int], str]:
    """二十三: digits with the names of the powers of ten, no "one" before them."""

    def make(number: int) -> str:
        if number >= 10_000:
            return str(number)
        out = ""
        for place, digit in zip(range(len(str(number)) - 1, -1, -1), map(int, str(number)), strict=True):
            if digit:
                out += ("" if digit == 1 and place else digits[digit]) + (powers[place - 1] if place else "")
        return out

    return make


def _digits(digits: str) -> Callable[[int], str]:
    return lambda number: "".join(digits[int(figure)] for figure in str(number))


FORMS: dict[str, Callable[[int], str]] = {
    "upperRoman": lambda number: _roman(number).upper(),
    "lowerRoman": _roman,
    "upperLetter": _repeated("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "lowerLetter": _repeated("abcdefghijklmnopqrstuvwxyz"),
    "ordinal": _ordinal,
    "numberInDash": lambda number: f"- {number} -",
    "decimalEnclosedCircle": _from_block("①", 20, "(", ")"),
    "decimalEnclosedCircleChinese": _from_block("①", 20, "(", ")"),
    "decimalEnclosedParen": _from_block("⑴", 20, "(", ")"),
    "decimalEnclosedFullstop": _from_block("⒈", 20, "", "."),
    "ganada": _repeated(HANGUL),
    "chosung": _repeated(CONSONANTS),
    "koreanDigital": _digits(HANGUL_DIGITS),
    "koreanDigital2": _digits(HAN_DIGITS),
    "koreanCounting": _counted(HANGUL_DIGITS, "십백천"),
    "aiueo": _repeated(KANA),
    "aiueoFullWidth": _repeated(KANA),
    "iroha": _repeated(IROHA),
    "irohaFullWidth": _repeated(IROHA),
    "ideographDigital": _digits(HAN_DIGITS),
    "japaneseDigitalTenThousand": _digits(HAN_DIGITS),
    "taiwaneseDigital": _digits(HAN_DIGITS),
    "japaneseCounting": _counted(HAN_DIGITS, SINO_KOREAN),
    "chineseCounting": _counted(HAN_DIGITS, SINO_KOREAN),
    "chineseCountingThousand": _counted(HAN_DIGITS, SINO_KOREAN),
    "taiwaneseCounting": _counted(HAN_DIGITS, SINO_KOREAN),
    "taiwaneseCountingThousand": _counted(HAN_DIGITS, SINO_KOREAN),
    "ideographTraditional": _repeated(STEMS),
    "hangulStems": _repeated(HANGUL_STEMS),  # 갑, 을, 병: a name of our own
    "ideographZodiac": _repeated(BRANCHES),
    "russianLower": _repeated(CYRILLIC),
    "russianUpper": _repeated(CYRILLIC.upper()),
    "decimalFullWidth": lambda number: str(number).translate(FULL_WIDTH),
    "decimalFullWidth2": lambda number: str(number).translate(FULL_WIDTH),
    "hex": lambda number: f"{number:X}",
}
