"""XML: safe parsing for all readers, and plain XML files."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element
from xml.etree.ElementTree import ParseError as SyntaxFault

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from ingestion.parsing.builder import TextBuilder
from ingestion.parsing.encoding import decode
from ingestion.parsing.types import ParseError, ParseLimits

OUT_OF_MEMORY, UNDEFINED_ENTITY = 1, 11  # codes of expat
ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[0-9a-fA-F]+);)([A-Za-z][\w.-]{0,60});")
DECLARATION = re.compile(r"^\s*<\?xml[^>]{0,200}\?>")
BLOCK = 4 << 20
SILENT = {"script", "style"}
MARKUP = re.compile(r"</?[A-Za-z!?][^<>]{0,500}>")


def local(element: Element) -> str:
    """A tag without its namespace."""
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


class _LargeBlocks(io.BytesIO):
    """Gives large blocks, for expat begins a tag or comment anew with each block until it is whole."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(BLOCK)


def parse_xml(data: bytes, limits: ParseLimits) -> Element:
    """The root. Raises `ParseError`: `unsafe_xml` for any DOCTYPE, `too_complex` for depth, `corrupt`."""
    root: Element | None = None
    try:
        for _, element in xml_events(_LargeBlocks(data), limits):
            root = element if root is None else root
    except ParseError as error:
        fault = error.__cause__
        if isinstance(fault, SyntaxFault) and fault.code == UNDEFINED_ENTITY:
            return parse_xml(_define_entities(data), limits)
        raise
    if root is None:
        raise ParseError("corrupt")
    return root


def xml_events(stream: IO[bytes], limits: ParseLimits) -> Iterator[tuple[str, Element]]:
    """("start" or "end", element) as the stream is read, for parts that are too large for a tree.

    Whoever reads them takes out what it is done with. Raises the errors of `parse_xml`.
    """
    depth = 0
    try:
        for event, element in iterparse(stream, ("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            if depth > limits.xml_depth:
                raise ParseError("too_complex")
            yield event, element
    except DefusedXmlException as error:
        raise ParseError("unsafe_xml") from error
    except SyntaxFault as error:
        raise ParseError("too_complex" if error.code == OUT_OF_MEMORY else "corrupt") from error
    except (ValueError, LookupError) as error:  # an encoding that expat does not know
        raise ParseError("corrupt") from error


def read(path: Path, builder: TextBuilder) -> None:
    """The text of an XML file in document order, a block for each element that has some; names go."""
    data = path.read_bytes()
    if b"<!DOCTYPE" in data[:100_000] or "<!DOCTYPE" in decode(data[:100_000]):
        raise ParseError("unsafe_xml")
    text = DECLARATION.sub("", decode(data))
    root = parse_xml(text.encode("utf-8", "replace"), builder.limits)
    for element in root.iter():
        if local(element).lower() == "title" and (element.text or "").strip():
            builder.title = (element.text or "").strip()
            break
    _walk(root, builder)


def _walk(element: Element, builder: TextBuilder) -> None:
    if local(element).lower() in SILENT:
        return
    inline = bool((element.text or "").strip()) and any((child.tail or "").strip() for child in element)
    if inline:
        _add(builder, "".join(element.itertext()))
        return
    _add(builder, element.text)
    for child in element:
        _walk(child, builder)
        _add(builder, child.tail)


def _add(builder: TextBuilder, text: str | None) -> None:
    """A block of text, without the marks of XML that was packed into it as text."""
    if text and not text.isspace():
        builder.paragraph(" ".join(MARKUP.sub(" ", text).split()))


def _define_entities(data: bytes) -> bytes:
    """HTML's names for characters become the characters; unknown names stay as words."""

    def character(match: re.Match[str]) -> str:
        known = html.unescape(match[0])
        return known if known != match[0] else f" {match[1]} "

    replaced = ENTITY.sub(character, data.decode("utf-8", "replace"))
    if ENTITY.search(replaced):
        raise ParseError("corrupt")
    return replaced.encode()
