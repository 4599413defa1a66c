"""What lies over the cells of an Excel sheet: comments, text boxes, diagrams, charts."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ingestion.parsing.readers.grid import comment_on
from ingestion.parsing.readers.packages import Package, relations
from ingestion.parsing.readers.xml import local

Note = tuple[str, str, str]  # cell, author, text


def persons(package: Package, part: str) -> dict[str, str]:
    """The names of those who write in threads, by their ids."""
    root = package.xml(part) if part else None
    return {e.get("id", ""): e.get("displayName", "") for e in (root if root is not None else ())}


def layers(package: Package, sheet: str, authors: dict[str, str]) -> list[str]:
    """Paragraphs for all that lies over a sheet's cells."""
    threads: list[Note] = []
    notes: list[Note] = []
    drawn: list[str] = []
    for kind, part in relations(package, sheet).values():
        if kind == "threadedComment":
            threads += _thread(package.xml(part), authors)
        elif kind == "comments":
            notes += _notes(package.xml(part))
        elif kind == "drawing":
            drawn += _drawing(package, part)
    threaded = {cell for cell, _, _ in threads}  # the note of a thread says only that it needs a newer Excel
    shown = [*threads, *(note for note in notes if note[0] not in threaded)]
    return [*(comment_on(*note) for note in shown), *drawn]


def _thread(root: Element | None, authors: dict[str, str]) -> Iterator[Note]:
    for comment in root if root is not None else ():
        text = "".join(part.text or "" for part in comment if local(part) == "text")
        yield comment.get("ref", ""), authors.get(comment.get("personId", ""), ""), text


def _notes(root: Element | None) -> Iterator[Note]:
    authors = [element.text or "" for element in _all(root, "author")]
    for comment in _all(root, "comment"):
        number = comment.get("authorId", "")
        author = authors[int(number)] if number.isdecimal() and int(number) < len(authors) else ""
        text = "".join(part.text or "" for part in _all(comment, "t", skipped={"rPh"}))
        yield comment.get("ref", ""), author, text


def _drawing(package: Package, part: str) -> Iterator[str]:
    root = package.xml(part)
    for body in _all(root, "txBody", skipped={"Fallback"}):
        yield "\n".join(_paragraphs(body))
    for kind, target in relations(package, part).values():
        if kind in {"chart", "chartEx"}:
            yield _chart(package.xml(target))
        elif kind == "diagramData":
            yield "\n".join(_paragraphs(package.xml(target)))


def _chart(root: Element | None) -> str:
    """Titles of a chart and its axes, names of its series; its values stand in the cells."""
    titles = [" ".join([*_paragraphs(title), *_cached(title)]) for title in _all(root, "title")]
    series = [name for row in _all(root, "ser") for tx in row if local(tx) == "tx" for name in _cached(tx)]
    names = [name for name in dict.fromkeys([*titles, ", ".join(series)]) if name]
    return "Chart: " + "\n".join(names) if names else ""


def _cached(element: Element) -> list[str]:
    return [value.text or "" for value in _all(element, "v")]


def _paragraphs(root: Element | None) -> Iterator[str]:
    for paragraph in _all(root, "p"):
        parts = [
            "\n" if local(run) == "br" else run.text or ""
            for run in paragraph.iter()
            if local(run) in {"t", "br"}
        ]
        if text := "".join(parts).strip():
            yield text


def _all(root: Element | None, name: str, *, skipped: set[str] | None = None) -> Iterator[Element]:
    """Elements of this name in their order, but none below those of `skipped`."""
    for element in root if root is not None else ():
        if local(element) == name:
            yield element
        if local(element) not in (skipped or ()):
            yield from _all(element, name, skipped=skipped)
