"""Zipped office files: the checks before any reader opens them, and their XML parts."""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from ingestion.parsing.archives import Budget, open_archive
from ingestion.parsing.readers.xml import local, parse_xml
from ingestion.parsing.types import ParseError, ParseLimits

OLE_MAGIC = b"\xd0\xcf\x11\xe0"
MARKUP = (".xml", ".rels", ".opf", ".ncx", ".xhtml", ".html", ".htm", ".vml")
ENTITIES = re.compile(rb"<!ENTITY|<!DOCTYPE[^>]*\[", re.IGNORECASE)


class Package:
    """An office file's parts. As a context manager, it closes the file."""

    def __init__(self, source: Path | bytes, limits: ParseLimits) -> None:
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as file:
            if file.read(4) == OLE_MAGIC:
                # Office wraps a password-protected file in an OLE container.
                raise ParseError("encrypted" if b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P" in file.read() else "corrupt")
        self.limits = limits
        self._archive = open_archive(io.BytesIO(source) if isinstance(source, bytes) else source, limits)
        self._budget = Budget(limits)
        # Some programs write other cases than their relationships name, or backslashes.
        self._places = {_key(name): name for name in reversed(self._archive.namelist())}

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *_: Any) -> None:
        self._archive.close()

    @property
    def names(self) -> list[str]:
        return self._archive.namelist()

    def has(self, name: str) -> bool:
        return _key(name) in self._places

    def read(self, name: str) -> bytes:
        """A part's bytes, b'' where it is absent."""
        if not self.has(name):
            return b""
        return self._budget.read(self._archive, self._archive.getinfo(self._places[_key(name)]))

    def blocks(self, name: str) -> Iterator[bytes]:
        """A part's bytes piece by piece, nothing where it is absent: for parts that may be large."""
        if self.has(name):
            info = self._archive.getinfo(self._places[_key(name)])
            yield from self._budget.blocks(self._archive, info)

    def xml(self, name: str) -> Element | None:
        data = self.read(name)
        return parse_xml(data, self.limits) if data else None

    def check(self) -> None:
        """Inflate all parts once and drop them, so that no bomb, lie or entity reaches a reader.

        Raises `ParseError`: `encrypted`, `corrupt`, `unsafe_archive`, `unsafe_xml`.
        """
        for info in self._archive.infolist():
            first = b""
            for block in self._budget.blocks(self._archive, info):
                first = first or block
            if info.filename.lower().endswith(MARKUP) and ENTITIES.search(first[:20_000]):
                raise ParseError("unsafe_xml")
        manifest = self.read("META-INF/manifest.xml")
        if b"encryption-data" in manifest or "META-INF/rights.xml" in self.names:
            raise ParseError("encrypted")
        self._budget.total = 0


def _key(name: str) -> str:
    return name.replace("\\", "/").casefold()


def core_properties(package: Package) -> tuple[str, str]:
    """Title and last change of an Office Open XML file, '' where it does not say."""
    root = package.xml("docProps/core.xml")
    facts = {local(fact): fact.text or "" for fact in (root if root is not None else ())}
    return facts.get("title", ""), facts.get("modified", "") or facts.get("created", "")


def relations(package: Package, name: str) -> dict[str, tuple[str, str]]:
    """Relationship id -> (kind, part) of a part; "" names the package itself."""
    folder, base = posixpath.split(name)
    root = package.xml(posixpath.join(folder, "_rels", f"{base}.rels"))
    return {
        link.get("Id", ""): (
            link.get("Type", "").rsplit("/", 1)[-1],
            posixpath.normpath(posixpath.join(folder, link.get("Target", ""))).lstrip("/"),
        )
        for link in (root if root is not None else ())
        if link.get("TargetMode") != "External"
    }
