"""Is what a file says of itself worth showing?"""

from __future__ import annotations

import datetime
import re

# What programs write when the author said nothing.
DEFAULTS = re.compile(
    r"(?:(?:powerpoint )?presentation|untitled.*|(?:new )?document ?\d*|slide ?\d+|sheet ?\d+|title"
    r"|normal(?:\.dotm?)?|table of contents|contents|\S+ \d{1,2}"
    r"|제목 ?없음|프레젠테이션 ?\d*|문서 ?\d*|無題.*|.*\.(?:dotm?|tmp|indd|qxd|ai|cdr))",
    re.IGNORECASE,
)
PROGRAM = re.compile(r"^Microsoft (?:Word|PowerPoint|Excel) - ")
FILE_ENDING = re.compile(r"\.(?:docx?|pptx?|xlsx?|pdf|hwpx?|odt|rtf|html?|txt)$", re.IGNORECASE)
EARLIEST = 1970


def sensible_title(title: str) -> str:
    """The title without its program's name, or '' where it is a default, a number or damaged."""
    title = " ".join(PROGRAM.sub("", title.strip()).split())
    damaged = "\ufffd" in title or "\\'" in title or "{" in title
    if damaged or DEFAULTS.fullmatch(title) or FILE_ENDING.search(title):
        return ""
    letters = sum(c.isalpha() for c in title)
    return title[:300] if letters >= 2 and letters * 3 >= len(title) else ""


def date_of(value: str) -> datetime.date | None:
    """The date of an ISO 8601 or PDF time; None where it is none, or cannot be a document's."""
    match = re.match(r"(?:D:)?(\d{4})-?(\d{2})-?(\d{2})", value)
    if not match:
        return None
    try:
        date = datetime.date(*map(int, match.groups()))
    except ValueError:
        return None
    latest = datetime.date.today() + datetime.timedelta(days=366)
    return date if date.year > EARLIEST and date <= latest else None
