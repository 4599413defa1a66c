"""XML that is too large for a tree: callbacks by expat, block after block, with the same refusals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol
from xml.parsers import expat

from ingestion.parsing.types import ParseError

OUT_OF_MEMORY = 1  # a code of expat
LONGEST_TOKEN = 16 << 20  # bytes of one tag, comment or instruction, which expat must hold at once


class Handler(Protocol):
    """Takes an XML's elements, by their names without prefixes, and its text, in their order."""

    def start(self, name: str, attributes: dict[str, str]) -> None: ...
    def end(self, name: str) -> None: ...
    def text(self, text: str) -> None: ...


def stream_xml(blocks: Iterable[bytes], handler: Handler) -> Iterator[None]:
    """Hand an XML to `handler`; yields after each block, so that the caller can take what is there.

    Depth costs nothing here, so it has no limit. Raises `ParseError`: `unsafe_xml` for any DOCTYPE,
    `too_complex` for endless tags, `corrupt`.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        handler.start(name.rpartition(":")[2] if ":" in name else name, attributes)

    def end(name: str) -> None:
        handler.end(name.rpartition(":")[2] if ":" in name else name)

    def refuse(*_: object) -> None:
        raise ParseError("unsafe_xml")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = refuse
    fed = 0
    try:
        for block in blocks:
            parser.Parse(block, False)
            fed += len(block)
            if fed - parser.CurrentByteIndex > LONGEST_TOKEN:
                raise ParseError("too_complex")
            yield
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ParseError("too_complex" if error.code == OUT_OF_MEMORY else "corrupt") from error
    except (ValueError, LookupError) as error:
        raise ParseError("corrupt") from error
    yield
