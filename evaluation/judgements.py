"""The search quality of the live library on an admin's own judgements: which document answers which query."""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TextIO
from uuid import UUID

import ir_measures
import numpy as np

from evaluation.evaluate import NDCG, RECALL
from library.access import Person, readable_documents
from retrieval.ranking import DEPTH
from searchapp.query import QueryError, check_query
from searchapp.search import Filters, Page, search

COLUMNS = ("query", "document", "relevance")
DEADLINE_MS = 30_000  # the order is measured, so the reranker may end


class JudgementsError(Exception):
    """The file cannot be used. The message names the line and what is wrong."""


@dataclass(frozen=True, slots=True)
class Judgement:
    line: int
    query: str
    document: str  # its name
    relevance: int


@dataclass(frozen=True, slots=True)
class Judged:
    """What can be measured. `ignored` says, by line, which judgements cannot."""

    judgements: Mapping[str, Mapping[str, int]]  # query -> id of a document -> relevance
    ignored: Sequence[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One way to answer all queries. Times are of one page of ten, as people ask for it."""

    name: str
    ndcg: float
    recall: float
    p50_ms: float
    p95_ms: float
    missing: int  # queries that were asked to be reranked and were not


def read_judgements(path: Path) -> list[Judgement]:
    """The rows of a CSV file with the columns query, document (its name) and, if wanted, relevance.

    Relevance is a whole number, 1 where it is left out. Comma or semicolon; UTF-8, with or without a mark.

    Raises:
        JudgementsError: the file cannot be read, is malformed, or has no rows.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(_rows(path, file))
    except OSError as error:
        raise JudgementsError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise JudgementsError(f"{path} is not UTF-8 text. Save it as CSV UTF-8.") from error
    if not rows:
        raise JudgementsError(f"{path} holds no judgements.")
    return rows


def _rows(path: Path, file: TextIO) -> Iterator[Judgement]:
    first = file.readline()
    file.seek(0)
    lines = csv.reader(file, delimiter=";" if ";" in first and "," not in first else ",", strict=True)
    try:
        columns = tuple(name.strip().lower() for name in next(lines, ()))
        if columns not in (COLUMNS, COLUMNS[:2]):
            raise JudgementsError(
                f"{path}, line 1: the header query,document or query,document,relevance is expected."
            )
        end = lines.line_num
        for row in lines:
            line, end = end + 1, lines.line_num  # a quoted field may go over several lines
            if any(field.strip() for field in row):
                yield _judgement(path, line, row, len(columns))
    except csv.Error as error:
        raise JudgementsError(f"{path}, line {lines.line_num}: {error}.") from error


def _judgement(path: Path, line: int, row: Sequence[str], columns: int) -> Judgement:
    if len(row) != columns:
        raise JudgementsError(
            f"{path}, line {line}: {columns} columns are expected, and there are {len(row)}."
        )
    query, document, relevance = (field.strip() for field in (*row, "1")[:3])
    if not document:
        raise JudgementsError(f"{path}, line {line}: the document's name is missing.")
    if not (relevance.isascii() and relevance.isdigit()):
        raise JudgementsError(f"{path}, line {line}: {relevance!r} is no relevance such as 0, 1 or 2.")
    try:
        return Judgement(line, check_query(query), document, int(relevance))
    except QueryError as error:
        raise JudgementsError(f"{path}, line {line}: {error}") from error


def match(user: Person, rows: Sequence[Judgement], libraries: Sequence[str] = ()) -> Judged:
    """The judgements by document: those that the person can find at this moment, in `libraries` (none: all).

    A document that came with a folder is named by its path there, or by its file name alone.

    Raises:
        JudgementsError: no query has a relevant document left.
    """
    documents = readable_documents(user).filter(active_version__isnull=False)
    if libraries:
        documents = documents.filter(library__in=[UUID(pk) for pk in libraries])
    by_name: dict[str, list[str]] = defaultdict(list)
    by_file: dict[str, list[str]] = defaultdict(list)
    for pk, name in documents.values_list("pk", "name"):
        by_name[name].append(str(pk))
        by_file[PurePosixPath(name).name].append(str(pk))
    judgements: dict[str, dict[str, int]] = {}
    ignored: list[tuple[int, str]] = []
    for row in rows:
        found = by_name.get(row.document) or by_file.get(row.document, [])
        if len(found) == 1:
            judgements.setdefault(row.query, {})[found[0]] = row.relevance
        elif found:
            ignored.append((row.line, f"{len(found)} documents are called {row.document!r}"))
        else:
            ignored.append((row.line, f"no document {row.document!r} is ready to be found"))
    judged = {query: scores for query, scores in judgements.items() if max(scores.values()) > 0}
    if not judged:
        raise JudgementsError(_nothing_judged(ignored))
    return Judged(judged, ignored)


def _nothing_judged(ignored: Sequence[tuple[int, str]]) -> str:
    said = "No query has a relevant document that can be found."
    if not ignored:
        return f"{said} Every relevance is 0."
    line, problem = ignored[0]
    return f"{said} Line {line}: {problem}. Write the names as the library's page shows them."


def measure(user: Person, judged: Judged, libraries: Sequence[str] = (), *, rerank: bool) -> Measured:
    """Ask every query through `search()`; a document is as good as its best passage.

    Each query is asked twice: for a page as people see it, which is timed, and as deep as search goes.
    """
    filters = Filters(library=tuple(libraries))
    queries = list(judged.judgements)

    def ask(query: str, limit: int) -> Page:
        return search(user, query, filters=filters, limit=limit, rerank=rerank, deadline_ms=DEADLINE_MS)

    ask("warm", 10)  # the first one loads the models
    ranking: dict[str, dict[str, float]] = {}
    milliseconds, missing = [], 0
    for query in queries:
        started = time.perf_counter()
        ask(query, 10)
        milliseconds.append((time.perf_counter() - started) * 1000)
        page = ask(query, DEPTH)
        missing += rerank and not page.reranked
        best_first = dict.fromkeys(str(hit.chunk.document_id) for hit in page.hits)
        ranking[query] = {document: -float(rank) for rank, document in enumerate(best_first)}
    measured = ir_measures.calc_aggregate([NDCG, RECALL], judged.judgements, ranking)
    p50, p95 = np.percentile(milliseconds, [50, 95])
    name = "reranked" if rerank else "hybrid"
    return Measured(name, measured[NDCG], measured[RECALL], float(p50), float(p95), missing)
