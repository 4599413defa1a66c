"""Formats written by hand: OpenDocument, EPUB and HWPX are zipped XML, RTF is text."""

from __future__ import annotations

from html import escape

from source import AUTHOR, Block, Source
from zipped import zipped

ODT = "application/vnd.oasis.opendocument.text"
ODT_NAMES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "meta", "manifest")
)
ODT_MANIFEST = f"""<manifest:manifest {ODT_NAMES} manifest:version="1.2">
<manifest:file-entry manifest:full-path="/" manifest:media-type="{ODT}"/>
<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>
<manifest:file-entry manifest:full-path="meta.xml" manifest:media-type="text/xml"/>
</manifest:manifest>"""
ODT_META = """<office:document-meta {names} xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.2">
<office:meta><dc:title>{title}</dc:title><dc:creator>{author}</dc:creator>
<meta:creation-date>{date:%Y-%m-%dT%H:%M:%S}</meta:creation-date><dc:date>{date:%Y-%m-%dT%H:%M:%S}</dc:date>
</office:meta></office:document-meta>"""
ODT_CONTENT = """<office:document-content {names} office:version="1.2">
<office:body><office:text>{text}</office:text></office:body></office:document-content>"""

CONTAINER = """<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="{path}" media-type="{media_type}"/></rootfiles></container>"""

EPUB_PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:orvelle:{date:%Y%m%d}</dc:identifier><dc:title>{title}</dc:title>
<dc:creator>{author}</dc:creator><dc:language>{language}</dc:language><dc:date>{date:%Y-%m-%d}</dc:date>
<meta property="dcterms:modified">{date:%Y-%m-%dT%H:%M:%SZ}</meta></metadata>
<manifest>{items}
<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/></manifest>
<spine>{order}</spine></package>"""
EPUB_PAGE = """<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"
 lang="{language}"><head><title>{title}</title></head><body>{body}</body></html>"""

HWPX_NAMES = " ".join(
    f'xmlns:{prefix}="http://www.hancom.co.kr/hwpml/2011/{name}"'
    for prefix, name in (("hp", "paragraph"), ("hs", "section"))
)
HWPX_PACKAGE = """<opf:package xmlns:opf="http://www.idpf.org/2007/opf/">
<opf:metadata><opf:title>{title}</opf:title><opf:language>{language}</opf:language>
<opf:meta name="creator" content="text">{author}</opf:meta>
<opf:meta name="CreatedDate" content="text">{date:%Y-%m-%dT%H:%M:%SZ}</opf:meta></opf:metadata>
<opf:manifest>
<opf:item id="section0" href="Contents/section0.xml" media-type="application/xml"/></opf:manifest>
<opf:spine><opf:itemref idref="section0"/></opf:spine></opf:package>"""
HWPX_PARAGRAPH = (
    '<hp:p id="0" paraPrIDRef="0" styleIDRef="0"><hp:run charPrIDRef="0"><hp:t>{}</hp:t></hp:run></hp:p>'
)


def xml_rows(block: Block, cell: str, row: str) -> str:
    return "".join(row.format("".join(cell.format(escape(text)) for text in texts)) for texts in block.rows)


def make_odt(source: Source) -> bytes:
    parts = [f'<text:h text:outline-level="1">{escape(source.title)}</text:h>']
    for block in source.blocks:
        text = escape(block.text)
        match block.kind:
            case "heading":
                parts.append(f'<text:h text:outline-level="{block.level}">{text}</text:h>')
            case "item":
                parts.append(
                    f"<text:list><text:list-item><text:p>{text}</text:p></text:list-item></text:list>"
                )
            case "table":
                cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
                rows = xml_rows(block, cell, "<table:table-row>{}</table:table-row>")
                columns = f'<table:table-column table:number-columns-repeated="{len(block.rows[0])}"/>'
                parts.append(f"<table:table>{columns}{rows}</table:table>")
            case _:
                parts.append(f"<text:p>{text}</text:p>")
    title = escape(source.title)
    files = {
        "mimetype": ODT,
        "content.xml": ODT_CONTENT.format(names=ODT_NAMES, text="".join(parts)),
        "meta.xml": ODT_META.format(names=ODT_NAMES, title=title, author=AUTHOR, date=source.date),
        "META-INF/manifest.xml": ODT_MANIFEST,
    }
    return zipped(files, source)


def make_epub(source: Source) -> bytes:
    """One chapter for each `##` heading."""
    chapters = [(source.title, f"<h1>{escape(source.title)}</h1>")]
    for block in source.blocks:
        text = escape(block.text)
        match block.kind:
            case "heading" if block.level == 2:
                chapters.append((block.text, f"<h2>{text}</h2>"))
                continue
            case "heading":
                part = f"<h{block.level}>{text}</h{block.level}>"
            case "item":
                part = f"<ul><li>{text}</li></ul>"
            case "table":
                part = f"<table>{xml_rows(block, '<td>{}</td>', '<tr>{}</tr>')}</table>"
            case _:
                part = f"<p>{text}</p>"
        title, body = chapters[-1]
        chapters[-1] = (title, body + part)
    numbers = range(len(chapters))
    item = '<item id="c{0}" href="chapter-{0}.xhtml" media-type="application/xhtml+xml"/>'
    package = EPUB_PACKAGE.format(
        title=escape(source.title),
        author=AUTHOR,
        language=source.language,
        date=source.date,
        items="".join(item.format(n) for n in numbers),
        order="".join(f'<itemref idref="c{n}"/>' for n in numbers),
    )
    links = "".join(f'<li><a href="chapter-{n}.xhtml">{escape(chapters[n][0])}</a></li>' for n in numbers)
    pages = {f"chapter-{n}.xhtml": chapters[n] for n in numbers}
    pages["nav.xhtml"] = (source.title, f'<nav epub:type="toc"><ol>{links}</ol></nav>')
    files = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER.format(
            path="content.opf", media_type="application/oebps-package+xml"
        ),
        "content.opf": package,
    }
    for name, (title, body) in pages.items():
        files[name] = EPUB_PAGE.format(language=source.language, title=escape(title), body=body)
    return zipped(files, source)


def make_hwpx(source: Source) -> bytes:
    """The parts that hold text and tables; fonts, styles and page layout are left out."""
    parts = [HWPX_PARAGRAPH.format(escape(source.title))]
    for block in source.blocks:
        if block.kind == "table":
            cell = f"<hp:tc><hp:subList>{HWPX_PARAGRAPH}</hp:subList></hp:tc>"
            rows = xml_rows(block, cell, "<hp:tr>{}</hp:tr>")
            size = f'rowCnt="{len(block.rows)}" colCnt="{len(block.rows[0])}"'
            parts.append(f'<hp:p><hp:run charPrIDRef="0"><hp:tbl {size}>{rows}</hp:tbl></hp:run></hp:p>')
        else:
            parts.append(HWPX_PARAGRAPH.format(("· " if block.kind == "item" else "") + escape(block.text)))
    files = {
        "mimetype": "application/hwp+zip",
        "META-INF/container.xml": CONTAINER.format(
            path="Contents/content.hpf", media_type="application/hwpml-package+xml"
        ),
        "Contents/content.hpf": HWPX_PACKAGE.format(
            title=escape(source.title), author=AUTHOR, language=source.language, date=source.date
        ),
        "Contents/section0.xml": f"<hs:sec {HWPX_NAMES}>{''.join(parts)}</hs:sec>",
    }
    return zipped(files, source)


def make_rtf(source: Source) -> bytes:
    def encode(text: str) -> str:
        return "".join(c if c.isascii() else f"\\u{ord(c) - (65536 if ord(c) > 32767 else 0)}?" for c in text)

    sizes = {2: 32, 3: 26}
    lines = [
        r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}}",
        rf"{{\info{{\title {encode(source.title)}}}{{\author {AUTHOR}}}",
        rf"{{\creatim\yr{source.date.year}\mo{source.date.month}\dy{source.date.day}}}}}",
        rf"\pard\b\fs40 {encode(source.title)}\b0\fs22\par",
    ]
    for block in source.blocks:
        text = encode(block.text)
        match block.kind:
            case "heading":
                lines.append(rf"\pard\b\fs{sizes[block.level]} {text}\b0\fs22\par")
            case "item":
                lines.append(rf"\pard\fi-200\li400\bullet\tab {text}\par")
            case "table":
                edges = "".join(rf"\cellx{3000 * (n + 1)}" for n in range(len(block.rows[0])))
                for row in block.rows:
                    cells = "".join(encode(cell) + r"\cell " for cell in row)
                    lines.append(rf"\trowd{edges}\pard\intbl {cells}\row")
            case _:
                lines.append(rf"\pard\sa120 {text}\par")
    return "\n".join([*lines, "}"]).encode("ascii")
