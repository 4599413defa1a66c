"""Dates, times and durations by the letters of a number format: yyyy-mm-dd, [h]:mm."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ingestion.parsing.readers.cell_numbers import Part

DATE_PARTS = {"date", "elapsed", "noon"}
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
LAST_DAY = 2_958_465  # 9999-12-31
DAY = 86_400
UNITS = {"h": 3600, "m": 60, "s": 1}
LEAP_DAY = 60  # the 29 February 1900, which Excel believes in


def shown_date(serial: float, parts: Sequence[Part], *, from_1904: bool) -> str | None:
    """A day number in this form, or None where there is no such date."""
    kinds = _meanings(parts)
    points = [place for place, part in enumerate(parts) if part.kind == "."]
    decimals = sum(part.kind == "0" for part in parts[points[0] :]) if points else 0
    seconds = round(serial * DAY, min(decimals, 6))
    if "elapsed" not in (part.kind for part in parts):
        days = seconds // DAY + (1462 if from_1904 else 0)
        if not 0 <= days <= LAST_DAY:
            return None
        epoch = datetime.date(1899, 12, 30 if days >= LEAP_DAY or days < 1 else 31)
        day = epoch + datetime.timedelta(days=days)
    else:
        day = datetime.date(1899, 12, 30)
    clock = abs(seconds) if serial < 0 else seconds % DAY
    has_noon = any(part.kind == "noon" for part in parts)
    texts = []
    for place, part in enumerate(parts):
        if part.kind == "elapsed":
            whole = int(abs(seconds) // UNITS[part.text[0]])
            texts.append(("-" if serial < 0 else "") + str(whole).zfill(len(part.text)))
        elif part.kind == "noon":
            letters = part.text.split("/")
            texts.append(letters[clock >= DAY / 2])
        elif part.kind == "date":
            texts.append(_date_part(kinds[place], part.text.lower(), day, clock, has_noon=has_noon))
        elif part.kind == "." and decimals:
            texts.append(
                f".{round(clock % 1 * 10**decimals):0{decimals}d}" if _seconds_before(parts, place) else "."
            )
        elif part.kind != "0" or not decimals:
            texts.append(part.text)
    return "".join(texts)


def _seconds_before(parts: Sequence[Part], place: int) -> bool:
    return place > 0 and parts[place - 1].text[:1].lower() == "s"


def _meanings(parts: Sequence[Part]) -> dict[int, str]:
    """The letter of each date part; "M" for minutes, which stand after hours or before seconds."""
    letters = [
        (place, part.text[0].lower()) for place, part in enumerate(parts) if part.kind in {"date", "elapsed"}
    ]
    found = dict(letters)
    for number, (place, letter) in enumerate(letters):
        before = letters[number - 1][1] if number else ""
        after = letters[number + 1][1] if number + 1 < len(letters) else ""
        if letter == "m" and len(parts[place].text) < 3 and (before == "h" or after == "s"):
            found[place] = "M"
    return found


def _date_part(letter: str, text: str, day: datetime.date, clock: float, *, has_noon: bool) -> str:
    if letter == "y" or letter == "e":
        return f"{day.year % 100:02d}" if letter == "y" and len(text) < 3 else f"{day.year:04d}"
    if letter == "b":
        return str(day.year + 543)  # Buddhist years
    if letter == "m":
        name = MONTHS[day.month - 1]
        return _numbered_or_named(day.month, len(text), {3: name[:3], 5: name[0]}, name)
    if letter == "d":
        name = DAYS[day.weekday()]
        return _numbered_or_named(day.day, len(text), {3: name[:3]}, name)
    if letter == "a":
        name = DAYS[day.weekday()]
        return name[:3] if len(text) < 4 else name
    if letter == "g":
        return ""  # the name of an era
    hour = int(clock // 3600)
    if letter == "h":
        number = (hour % 12 or 12) if has_noon else hour
    else:
        number = int(clock // 60 % 60) if letter == "M" else int(clock % 60)
    return str(number).zfill(min(len(text), 2))


def _numbered_or_named(number: int, length: int, short: dict[int, str], name: str) -> str:
    return str(number).zfill(length) if length < 3 else short.get(length, name)
