"""Word files, made by hand: a body, and the parts that it refers to by the ids that this file gives them."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from tests.ingestion import making

NAMESPACES = " ".join(
    f'xmlns:{prefix}="{address}"'
    for prefix, address in {
        "w": making.WORD,
        "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "c": "http://schemas.openxmlformats.org/drawingml/2006/chart",
        "dgm": "http://schemas.openxmlformats.org/drawingml/2006/diagram",
        "m": "http://schemas.openxmlformats.org/officeDocument/2006/math",
        "mc": "http://schemas.openxmlformats.org/markup-compatibility/2006",
        "v": "urn:schemas-microsoft-com:vml",
        "o": "urn:schemas-microsoft-com:office:office",
        "wps": "http://schemas.microsoft.com/office/word/2010/wordprocessingShape",
    }.items()
)
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def word(path: Path, body: str, parts: dict[str, tuple[str, str]] | None = None) -> Path:
    """A Word file. `parts` are (kind, content) by their names; each name is also its relationship's id."""
    found = parts or {}
    links = "".join(
        f'<Relationship Id="{name}" Type="{TYPES}/{kind}" Target="{name}"/>'
        for name, (kind, _) in found.items()
    )
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    more = {f"word/{name}": content for name, (_, content) in found.items()}
    more["word/_rels/document.xml.rels"] = f'<Relationships xmlns="{package}">{links}</Relationships>'
    return making.docx_of(path, root("document", f"<w:body>{body}</w:body>"), **more)


def root(name: str, content: str) -> str:
    return f"<w:{name} {NAMESPACES}>{content}</w:{name}>"


def run(text: str, properties: str = "") -> str:
    return f'<w:r><w:rPr>{properties}</w:rPr><w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def p(content: str, properties: str = "") -> str:
    """A paragraph of text, or of runs."""
    runs = content if content.startswith("<") else run(content)
    return f"<w:p><w:pPr>{properties}</w:pPr>{runs}</w:p>"


def item(text: str, level: int, list_id: int = 1) -> str:
    return p(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{list_id}"/></w:numPr>')


def tbl(*rows: list[str]) -> str:
    """A table; a cell is text, or XML that begins with its w:tcPr or a block."""
    return f"<w:tbl>{''.join(tr(row) for row in rows)}</w:tbl>"


def tr(cells: list[str], properties: str = "") -> str:
    inner = "".join(f"<w:tc>{cell if cell.startswith('<') else p(cell)}</w:tc>" for cell in cells)
    return f"<w:tr><w:trPr>{properties}</w:trPr>{inner}</w:tr>"


def levels(*looks: str, more: str = "") -> str:
    """The levels of an abstract list: "form text", the text with %1 for the number."""
    return "".join(
        f'<w:lvl w:ilvl="{place}"><w:start w:val="1"/><w:numFmt w:val="{look.split(" ", 1)[0]}"/>'
        f'<w:lvlText w:val="{look.split(" ", 1)[1]}"/>{more}</w:lvl>'
        for place, look in enumerate(looks)
    )


def numbering(*abstracts: str, nums: str = "") -> str:
    """Abstract lists 0, 1, ... and lists 1, 2, ... of each, and more lists."""
    return root(
        "numbering",
        "".join(f'<w:abstractNum w:abstractNumId="{i}">{a}</w:abstractNum>' for i, a in enumerate(abstracts))
        + "".join(
            f'<w:num w:numId="{i + 1}"><w:abstractNumId w:val="{i}"/></w:num>' for i in range(len(abstracts))
        )
        + nums,
    )
