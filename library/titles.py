"""What a document is called, on the page and in the index."""

from __future__ import annotations

import re
from pathlib import PurePath

from library.models import Document

SEPARATORS = re.compile(r"[_\-.+\s]+")


def readable(name: str) -> str:
    """A file's name as words: `annual_report-2024.final.pdf` -> `annual report 2024 final`."""
    return SEPARATORS.sub(" ", PurePath(name).stem).strip() or name


def title_of(document: Document, parsed_title: str) -> str:
    """The uploader's title, else the document's own, else its file name made readable."""
    return (document.given_title or parsed_title or readable(document.name))[:500]


def searchable_title(document: Document) -> str:
    """The title, with the words of the file name where they say more: people search by either."""
    name = readable(document.name)
    return document.title if name.lower() in document.title.lower() else f"{document.title} ({name})"
