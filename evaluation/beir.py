"""Evaluation sets in BEIR's layout: corpus.jsonl, queries.jsonl and qrels/test.tsv (Thakur et al. 2021)."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from retrieval.stemming import language_of
from retrieval.types import Passage

JUDGEMENTS = Path("qrels") / "test.tsv"


class DatasetError(Exception):
    """The set cannot be read. The message names the file, the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """The documents alone, which is all that learning the corpus may see."""

    name: str
    ids: list[str]
    passages: list[Passage]  # one a document, in the order of `ids`


@dataclass(frozen=True, slots=True)
class Questions:
    """The judged queries and their judgements."""

    queries: dict[str, str]  # id -> text
    judgements: dict[str, dict[str, int]]  # query id -> document id -> relevance


def check_layout(folder: Path) -> None:
    """Raises `DatasetError`, which says what is expected, where a file of the set is not there."""
    files = (Path("corpus.jsonl"), Path("queries.jsonl"), JUDGEMENTS)
    if missing := [str(folder / file) for file in files if not (folder / file).is_file()]:
        raise DatasetError(
            f"There is no file {' and no '.join(missing)}. A folder in BEIR's layout is expected, which "
            f"holds {', '.join(map(str, files))}."
        )


def load_corpus(folder: Path) -> Corpus:
    """The documents of a set, which is taken to be in one language: that of its first texts.

    Raises:
        DatasetError: a file is missing or malformed, or there are no documents.
    """
    rows = {row["_id"]: row for row in _rows(folder / "corpus.jsonl", optional=("title",))}
    if not rows:
        raise DatasetError(f"{folder / 'corpus.jsonl'} holds no documents.")
    language = language_of(row["text"] for row in rows.values())
    passages = [Passage(row["text"], row["title"], language=language) for row in rows.values()]
    return Corpus(folder.resolve().name, list(rows), passages)


def load_questions(folder: Path, limit: int | None = None) -> Questions:
    """The first `limit` judged queries of a set (None: all); a query without judgements says nothing.

    Raises:
        DatasetError: a file is missing or malformed, or no query is judged.
    """
    judgements = _judgements(folder / JUDGEMENTS)
    texts = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")}
    judged = [id for id in texts if id in judgements][:limit]
    if not judged:
        raise DatasetError(f"No query of {folder / 'queries.jsonl'} is judged in {folder / JUDGEMENTS}.")
    return Questions({id: texts[id] for id in judged}, {id: judgements[id] for id in judged})


def _rows(path: Path, optional: tuple[str, ...] = ()) -> Iterator[dict[str, str]]:
    """The objects of a JSON-lines file, with "" for optional fields that are absent or null."""
    with _opened(path) as file:
        for number, line in enumerate(_lines(path, file), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise DatasetError(f"{path}, line {number}: not valid JSON ({error}).") from error
            required = ("_id", "text")
            if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in required):
                raise DatasetError(
                    f"{path}, line {number}: an object with the strings _id and text is expected."
                )
            yield {name: row.get(name) or "" for name in (*required, *optional)}


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    """Only queries with a relevant document: the others have no ideal ranking."""
    judgements: dict[str, dict[str, int]] = {}
    with _opened(path) as file:
        lines = csv.reader(_lines(path, file), delimiter="\t", quoting=csv.QUOTE_NONE)
        if next(lines, None) != ["query-id", "corpus-id", "score"]:
            raise DatasetError(f"{path} does not begin with the header query-id, corpus-id, score.")
        for number, line in enumerate(filter(None, lines), 2):
            try:
                query, document, relevance = line
                judgements.setdefault(query, {})[document] = int(relevance)
            except ValueError as error:
                raise DatasetError(
                    f"{path}, line {number}: query, document and a whole number are expected."
                ) from error
    return {query: scores for query, scores in judgements.items() if max(scores.values()) > 0}


def _lines(path: Path, file: TextIO) -> Iterator[str]:
    try:
        yield from file
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not UTF-8 text.") from error


def _opened(path: Path) -> TextIO:
    try:
        return path.open(encoding="utf-8", newline="")
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}.") from error
