"""Settings from the environment. A bad value stops the start and says what is allowed."""

from __future__ import annotations

import os
import re
import zoneinfo
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}


def text(name: str, default: str = "", *, choices: Sequence[str] = ()) -> str:
    value = os.environ.get(name, "").strip() or default
    if choices and value not in choices:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be one of: {', '.join(choices)}.")
    return value


def number(name: str, default: int, *, least: int = 0, most: int = 2**31) -> int:
    value = os.environ.get(name, "").strip() or str(default)
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a whole number from {least} to {most}.")
    return int(value)


def boolean(name: str, default: bool) -> bool:
    value = os.environ.get(name, "").strip().lower()
    if value and value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be true or false.")
    return value in TRUE if value else default


def url(name: str, *schemes: str, needed: bool = False) -> str:
    """An address, or nothing. The refusal leaves the value out: it may hold a password."""
    value = text(name)
    if (value or needed) and not value.startswith(tuple(f"{scheme}://" for scheme in schemes)):
        raise ImproperlyConfigured(f"{name} must begin with {' or '.join(f'{s}://' for s in schemes)}")
    return value


def rate(name: str, default: str) -> str:
    value = text(name, default)
    if not re.fullmatch(r"[1-9][0-9]*/(?:s|sec|m|min|h|hour|d|day)", value):
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a number a time, such as 100/min.")
    return value


def time_zone(name: str, default: str) -> str:
    value = text(name, default)
    if value not in zoneinfo.available_timezones():
        raise ImproperlyConfigured(f"{name} is {value!r}; it must be a time zone, such as Asia/Seoul.")
    return value


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def secret(name: str, file: Path, make: str) -> str:
    """The value of a secret variable, else the one kept in `file`, which is made with `make` on first use."""
    if value := text(name):
        return value
    if not file.exists():
        # Written aside and linked, so that a process that starts at the same time never reads half of it.
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        with open(draft, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
            out.write(make)
        with suppress(FileExistsError):
            os.link(draft, file)
        draft.unlink()
    return file.read_text().strip()
