"""Numbers and fractions by the placeholders of a number format: 0, # and ?."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Protocol

DIGITS = {"0", "#", "?"}
MOST_DECIMALS = 30


class Part(Protocol):
    """A piece of a format."""

    @property
    def kind(self) -> str: ...
    @property
    def text(self) -> str: ...


def general(value: float) -> str:
    """A number without a form: whole up to 15 digits, else rounded to 11."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = f"{value:.11g}"
    if "e" not in text:
        return text
    return f"{value:.11f}".rstrip("0").rstrip(".") if 1e-9 < abs(value) < 1e15 else f"{value:.5E}"


def shown_number(value: Decimal, parts: Sequence[Part]) -> str:
    """Digits in their places, the rest of the parts around and between them."""
    kinds = [part.kind for part in parts]
    digits = [place for place, kind in enumerate(kinds) if kind in DIGITS]
    if not digits:
        text = "".join("." if part.kind == "." else part.text for part in parts)
        return f"-{text}" if value < 0 and text.strip() else text
    point = kinds.index(".") if "." in kinds else len(kinds)
    power = kinds.index("power") if "power" in kinds else len(kinds)
    whole = [place for place in digits if place < min(point, power)]
    decimals = [place for place in digits if point < place < power]
    thousands = sum(_commas_behind(kinds, places[-1]) for places in (whole, decimals) if places)
    grouped = any(kinds[place] == "," for place in range(whole[0], whole[-1])) if whole else False
    scaled = value.scaleb(2 * kinds.count("%") - 3 * thousands)
    exponent = 0
    if power < len(kinds) and scaled:
        step = max(len(whole), 1)
        exponent = scaled.adjusted() // step * step if step > 1 else scaled.adjusted()
        scaled = scaled.scaleb(-exponent)
    rounded = _rounded(scaled, len(decimals))
    before, _, after = f"{abs(rounded):f}".partition(".")
    texts = _placed_whole(before.lstrip("0"), whole, kinds, grouped=grouped)
    texts |= _placed_decimals(after, decimals, kinds)
    if power < len(kinds):
        texts |= _placed_whole(str(abs(exponent)), [place for place in digits if place > power], kinds)
        texts[power] = "E" + ("-" if exponent < 0 else "+" if "+" in parts[power].text else "")
    silent = {",", *DIGITS, "power"}
    shown = [texts.get(place, "" if part.kind in silent else part.text) for place, part in enumerate(parts)]
    return ("-" if rounded < 0 else "") + "".join(shown)


def shown_fraction(value: Decimal, parts: Sequence[Part]) -> str:
    """1.5 by "# ?/?" as 1 1/2: the nearest fraction whose denominator fits, or has the given value."""
    kinds = [part.kind for part in parts]
    slash = kinds.index("/")
    below = [part for part in parts[slash + 1 :] if part.kind in DIGITS or part.text.isdigit()]
    given = "".join(part.text for part in below)
    if given.isdigit() and int(given):
        denominator = int(given)
        nearest = Fraction(round(abs(value) * denominator), denominator)
        numerator = round(abs(value) * denominator)
    else:
        nearest = Fraction(abs(value)).limit_denominator(10 ** min(max(len(below), 1), 5) - 1)
        numerator, denominator = nearest.numerator, nearest.denominator
    sign = "-" if value < 0 and nearest else ""
    first = next((place for place, kind in enumerate(kinds) if kind in DIGITS), slash)
    if "literal" not in kinds[first:slash]:  # no place for a whole number before the fraction
        return f"{sign}{numerator}/{denominator}"
    whole, rest = divmod(numerator, denominator)
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole} {rest}/{denominator}" if whole else f"{sign}{rest}/{denominator}"


def _rounded(value: Decimal, decimals: int) -> Decimal:
    try:
        return value.quantize(Decimal(1).scaleb(-min(decimals, MOST_DECIMALS)), ROUND_HALF_UP)
    except ArithmeticError:  # more digits than the context holds
        return value


def _commas_behind(kinds: Sequence[str], place: int) -> int:
    """How many commas follow a digit; each divides by a thousand."""
    end = place + 1
    while end < len(kinds) and kinds[end] == ",":
        end += 1
    return end - place - 1


def _placed_whole(
    digits: str, places: Sequence[int], kinds: Sequence[str], *, grouped: bool = False
) -> dict[int, str]:
    """The digits before the point, from the right; the first place takes all that is left."""
    texts: dict[int, str] = {}
    count = 0
    for place in reversed(places):
        taken = digits[-1:] or ("0" if kinds[place] == "0" else "")
        digits = digits[:-1]
        if place == places[0]:
            taken, digits = digits + taken, ""
        text = ""
        for digit in reversed(taken):
            text = digit + ("," if grouped and count and count % 3 == 0 else "") + text
            count += 1
        texts[place] = text
    return texts


def _placed_decimals(digits: str, places: Sequence[int], kinds: Sequence[str]) -> dict[int, str]:
    """The digits behind the point; zeros at the end stand only where the format has a 0."""
    needed = max((n for n, place in enumerate(places, 1) if kinds[place] == "0"), default=0)
    kept = digits[:needed] + digits[needed:].rstrip("0")
    return {place: kept[n : n + 1] for n, place in enumerate(places)}
