"""Which files of a folder Docker sends to a build, by the rules of .dockerignore.

As moby's `patternmatcher` has them: a pattern matches a path, or anything below it; the last pattern that
matches decides, and one that begins with `!` takes files in again.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


class Ignored:
    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines()]
        self._rules = [_rule(line) for line in lines if line and not line.startswith("#")]

    def __contains__(self, path: str) -> bool:
        below = [path, *map(str, list(PurePosixPath(path).parents)[:-1])]
        ignored = False
        for taken_in, pattern, _ in self._rules:
            if ignored == taken_in and any(pattern.fullmatch(name) for name in below):
                ignored = not taken_in
        return ignored

    def may_hold_files(self, folder: str) -> bool:
        """Whether a pattern takes in files of an ignored folder."""
        return any(taken_in and text.startswith(f"{folder}/") for taken_in, _, text in self._rules)


def sent_files(root: Path) -> Iterator[str]:
    """The paths below `root` that a build is sent, relative to it."""
    ignored = Ignored((root / ".dockerignore").read_text())
    for folder, folders, names in os.walk(root):
        here = Path(folder).relative_to(root)
        inner = {name: str(here / name) for name in folders}
        if here == Path():  # below it every folder is walked, as Docker does behind a pattern with a wildcard
            folders[:] = [
                n for n, path in inner.items() if path not in ignored or ignored.may_hold_files(path)
            ]
        yield from (path for name in names if (path := str(here / name)) not in ignored)


def _rule(line: str) -> tuple[bool, re.Pattern[str], str]:
    text = os.path.normpath(line.removeprefix("!").strip()).lstrip("/")
    return line.startswith("!"), re.compile(_expression(text)), text


def _expression(text: str) -> str:
    translated = re.sub(
        r"\*\*/?(?P<end>$)?|\*|\?|\\.|\[[^\]]*\]|.",
        lambda found: _part(found[0], found["end"] is not None),
        text,
    )
    return translated


def _part(part: str, is_end: bool) -> str:
    if part.startswith("**"):
        return ".*" if is_end else "(.*/)?"
    if part.startswith("[") and len(part) > 1:
        return part
    return {"*": "[^/]*", "?": "[^/]"}.get(part) or re.escape(part.removeprefix("\\") or part)
