"""python -m evaluation.parsing FOLDER: the text that Quarry keeps of each file, beside what others find.

For each file and each other program it counts the words of the other's text that Quarry's text has as well.
Files where Quarry has less than 97 % of another's words are listed with some of the words that it lacks.
"""

from __future__ import annotations

import argparse
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from evaluation.others import readers
from ingestion.parsing import ParseError, ParserCrashedError, parse
from ingestion.parsing.filetypes import BY_EXTENSION, ZIP

WORD = re.compile(r"\w+")
ENOUGH = 0.97
SHOWN = 8  # of the words that are missing


@dataclass(frozen=True)
class Kept:
    """What another program finds of a file, and how much of it Quarry has."""

    program: str
    characters: int
    words: int
    share: float  # of the other's words that Quarry has
    missing: list[str]


@dataclass(frozen=True)
class Result:
    """A file's text by Quarry, or the code of its refusal, beside the others."""

    path: Path
    error: str
    characters: int
    words: int
    others: list[Kept]

    @property
    def worst(self) -> Kept | None:
        return min(self.others, key=lambda kept: kept.share, default=None)


def compare(folder: Path) -> Iterator[Result]:
    """The results for all files of a folder that Quarry reads, archives left out."""
    for path in sorted(folder.rglob("*")):
        kind = BY_EXTENSION.get(path.suffix.lower())
        if path.is_file() and kind and kind is not ZIP:
            text, error = "", ""
            try:
                text = parse(path, kind.content_type).text
            except (ParseError, ParserCrashedError) as failure:
                error = getattr(failure, "code", "parser_crashed")
            words = words_of(text)
            yield Result(path, error, _letters(text), words.total(), list(_others(path, words)))


def words_of(text: str) -> Counter[str]:
    return Counter(WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def _others(path: Path, words: Counter[str]) -> Iterator[Kept]:
    for program, reader in readers(path).items():
        try:
            text = reader(path)
        except Exception:  # how another program fails is its own affair
            continue
        found = words_of(text)
        if found:
            missing = found - words
            share = 1 - missing.total() / found.total()
            yield Kept(
                program, _letters(text), found.total(), share, [w for w, _ in missing.most_common(SHOWN)]
            )


def _letters(text: str) -> int:
    return sum(not character.isspace() for character in text)


def _report(results: list[Result], folder: Path) -> None:
    print(f"{'file':52} {'characters':>10} {'words':>7}  best other: characters, words, share kept")
    for result in results:
        best = max(result.others, key=lambda kept: kept.words, default=None)
        beside = f"{best.program}: {best.characters}, {best.words}, {best.share:.1%}" if best else "-"
        name = str(result.path.relative_to(folder))[-52:]
        print(f"{name:52} {result.characters:>10} {result.words:>7}  {result.error or beside}")
    compared = [result for result in results if result.others]
    low = [result for result in compared if result.worst and result.worst.share < ENOUGH]
    print(f"\n{len(compared)} files compared; {len(low)} below {ENOUGH:.0%} of what another finds:")
    for result in low:
        for kept in result.others:
            if kept.share < ENOUGH:
                name = str(result.path.relative_to(folder))
                print(
                    f"  {name}: {kept.share:.1%} of {kept.program}'s {kept.words} words; lacks {kept.missing}"
                )


def main() -> None:
    options = argparse.ArgumentParser(
        prog="python -m evaluation.parsing", description=__doc__.splitlines()[0]
    )
    options.add_argument("folder", type=Path)
    folder = options.parse_args().folder
    _report(list(compare(folder)), folder)


if __name__ == "__main__":
    main()
