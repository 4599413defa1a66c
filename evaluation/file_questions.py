"""Questions about files: whether each stage of the served search finds the right file and the right page."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from library.access import Person
from library.models import Chunk
from retrieval.ranking import STAGES
from searchapp.query import QueryError, check_query
from searchapp.search import search

DEADLINE_MS = 30_000  # the order is measured, so the reranker may end
METRICS = ("doc@1", "doc@3", "page@10", "mrr", "ndcg@10")
BEFORE = {"fused": "lexical", "reranked": "first"}  # what a run is compared with, if not the run before it


class QuestionsError(Exception):
    """The questions cannot be used. The message names the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Question:
    """`files` are the names of the right files, any of them; `pages` are the right ones of the first file."""

    text: str
    files: Sequence[str]
    pages: Sequence[int]
    language: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands."""

    file: str
    page: int | None


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean change of the reciprocal rank against another run, question by question."""

    before: str
    mrr: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class FileRun:
    """What one stage made of all questions; `languages` has the metrics of each language's questions."""

    name: str
    metrics: Mapping[str, float]
    p50_ms: float
    languages: Mapping[str, Mapping[str, float]]
    difference: Difference | None


def read_questions(path: Path, limit: int | None = None) -> list[Question]:
    """Read the first `limit` questions of a questions.jsonl (None: all).

    Raises:
        QuestionsError: the file cannot be read, a line is malformed, or there is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionsError(f"{path} cannot be read: {error}.") from error
    questions = [_question(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not questions:
        raise QuestionsError(f"{path} holds no questions.")
    return questions[:limit]


def _question(path: Path, number: int, line: str) -> Question:
    try:
        row = json.loads(line)
        files, pages = row["file"], row.get("pages") or []
        if not isinstance(files, list) or not files or not all(isinstance(page, int) for page in pages):
            raise ValueError("file is a list of names, and pages a list of numbers or null")
        return Question(check_query(row["question"]), files, pages, str(row.get("lang") or ""))
    except QueryError as error:
        raise QuestionsError(f"{path}, line {number}: {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise QuestionsError(f"{path}, line {number}: not a question ({error!r}).") from error


def measure(
    user: Person, questions: Sequence[Question], progress: Callable[[], object] = lambda: None
) -> list[FileRun]:
    """Ask every question by `search()` and measure each stage that it went through.

    A file counts by its best passage. `mrr` is of the first passage of a right file, on a right page (one
    beside it will do) where the pages are known; `page@10` is of the questions whose pages are known.
    """
    places = {
        str(pk): Place(name, page)
        for pk, name, page in Chunk.objects.values_list("pk", "document__name", "page").iterator()
    }
    search(user, questions[0].text, deadline_ms=DEADLINE_MS)  # the first one loads the models
    scores: dict[str, list[dict[str, float]]] = {}
    times: dict[str, list[float]] = {}
    for question in questions:
        for name, ids, milliseconds in _answers(user, question):
            scores.setdefault(name, []).append(score(question, [places[id] for id in ids if id in places]))
            times.setdefault(name, []).append(milliseconds)
        progress()
    return [
        FileRun(
            name,
            _means(rows),
            float(np.median(times[name])),
            {
                language: _means(
                    row for row, q in zip(rows, questions, strict=True) if q.language == language
                )
                for language in sorted({q.language for q in questions})
            },
            _difference(name, scores),
        )
        for name, rows in scores.items()
    ]


def _answers(user: Person, question: Question) -> Iterator[tuple[str, list[str], float]]:
    """Yield each run's name, ids best first, and milliseconds since the question was asked."""
    page = search(user, question.text, limit=1, deadline_ms=DEADLINE_MS)
    steps = page.ranking.steps
    first = 3 + len(STAGES)  # the legs, fused, and the stages
    ends = list(accumulate(step.seconds * 1000 for step in steps))
    for step, end in zip(steps[:first], ends, strict=False):
        own = step.seconds * 1000 if step.name == "dense" else end
        yield step.name, [candidate.id for candidate in step.candidates], own
    yield "first", [candidate.id for candidate in steps[first - 1].candidates], ends[first - 1]
    # What is not reranked, in a language that the reranker does not read, is shown as it is.
    yield "reranked", [candidate.id for candidate in page.ranking.candidates], page.took_ms


def score(question: Question, found: Sequence[Place]) -> dict[str, float]:
    """Return the metrics of one question, whose passages were found in this order; NaN for none."""
    files = list(dict.fromkeys(place.file for place in found))
    right = [file in question.files for file in files]
    hits = [_is_right(question, place) for place in found]
    gains = sum(1 / math.log2(rank + 2) for rank, is_right in enumerate(right[:10]) if is_right)
    ideal = sum(1 / math.log2(rank + 2) for rank in range(min(10, len(set(question.files)))))
    return {
        "doc@1": float(any(right[:1])),
        "doc@3": float(any(right[:3])),
        "page@10": float(any(hits[:10])) if question.pages else math.nan,
        "mrr": 1 / (hits.index(True) + 1) if True in hits else 0.0,
        "ndcg@10": gains / ideal,
    }


def _is_right(question: Question, place: Place) -> bool:
    if not question.pages or place.page is None:
        return place.file in question.files
    page = place.page
    return place.file == question.files[0] and any(abs(page - right) <= 1 for right in question.pages)


def _means(rows: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Means over the questions that have the metric; NaN where none has."""
    kept = list(rows)
    means = {}
    for metric in METRICS:
        values = [row[metric] for row in kept if not math.isnan(row[metric])]
        means[metric] = float(np.mean(values)) if values else math.nan
    return means


def _difference(name: str, scores: Mapping[str, Sequence[Mapping[str, float]]]) -> Difference | None:
    names = list(scores)
    if name in ("lexical", "dense", "first"):  # legs of their own, and another name of the last stage
        return None
    before = BEFORE.get(name, names[names.index(name) - 1])
    pairs = zip(scores[name], scores[before], strict=True)
    changes = np.array([after["mrr"] - earlier["mrr"] for after, earlier in pairs])
    error = changes.std(ddof=1) / math.sqrt(len(changes)) if len(changes) > 1 else math.nan
    return Difference(before, float(changes.mean()), float(error))


def as_json(run: FileRun) -> dict[str, Any]:
    """Return a run as the report has it."""
    found: dict[str, Any] = {"name": run.name, **_rounded(run.metrics), "p50_ms": round(run.p50_ms, 3)}
    found["languages"] = {language: _rounded(metrics) for language, metrics in run.languages.items()}
    if run.difference:
        error = run.difference.standard_error
        found["difference"] = {
            "to": run.difference.before,
            "mrr": round(run.difference.mrr, 5),
            "standard_error": None if math.isnan(error) else round(error, 5),
        }
    return found


def _rounded(metrics: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else round(value, 5) for name, value in metrics.items()}
