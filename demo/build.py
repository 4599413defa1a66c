"""Make the binary documents of the demo library from their Markdown sources: `python demo/build.py`.

`sources/expense-policy.pdf.md` becomes `documents/expense-policy.pdf`, and so on. A source is a small
Markdown: a `date:` in the front matter, one `# title`, headings, paragraphs, `- ` items, tables, and `---`
for a page break in a PDF. The same sources give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from handmade import make_epub, make_hwpx, make_odt, make_rtf
from office import make_docx, make_pdf, make_pptx, make_xlsx
from source import Source, read_source

HERE = Path(__file__).parent

MAKERS: dict[str, Callable[[Source], bytes]] = {
    ".docx": make_docx,
    ".epub": make_epub,
    ".hwpx": make_hwpx,
    ".odt": make_odt,
    ".pdf": make_pdf,
    ".pptx": make_pptx,
    ".rtf": make_rtf,
    ".xlsx": make_xlsx,
}


def main() -> None:
    for path in sorted((HERE / "sources").glob("*.md")):
        target = HERE / "documents" / path.stem
        target.write_bytes(MAKERS[target.suffix](read_source(path)))


if __name__ == "__main__":
    main()
