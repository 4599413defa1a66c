"""One reader for each kind of file. All of this runs in the child process only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from ingestion.parsing.builder import TextBuilder, clean
from ingestion.parsing.filetypes import (
    CSV,
    DOC,
    DOCM,
    DOCX,
    EML,
    EPUB,
    HTML,
    HWP,
    HWPX,
    IMAGES,
    JSON,
    MARKDOWN,
    MSG,
    ODP,
    ODS,
    ODT,
    PDF,
    PPT,
    PPTX,
    RST,
    RTF,
    TXT,
    XLS,
    XLSM,
    XLSX,
    XML,
)
from ingestion.parsing.language import language_of
from ingestion.parsing.readers import (
    delimited,
    docx,
    extraction,
    hwp,
    hwpx,
    images,
    mail,
    markdown_file,
    msg,
    ods,
    odt,
    office,
    pdf,
    pptx,
    presentation,
    rtf,
    text,
    webpage,
    xls,
    xlsx,
    xml,
)
from ingestion.parsing.titles import date_of, sensible_title
from ingestion.parsing.types import ParsedDocument, ParseError, ParseLimits

Reader = Callable[[Path, TextBuilder], None]

READERS: dict[str, Reader] = {
    PDF.content_type: pdf.read,
    DOCX.content_type: docx.read,
    DOCM.content_type: docx.read,
    PPTX.content_type: pptx.read,
    XLSX.content_type: xlsx.read,
    XLSM.content_type: xlsx.read,
    DOC.content_type: office.read_doc,
    PPT.content_type: office.read_ppt,
    XLS.content_type: xls.read,
    ODT.content_type: odt.read,
    ODS.content_type: ods.read,
    ODP.content_type: presentation.read,
    EPUB.content_type: partial(office.read_package, kind=EPUB),
    RTF.content_type: rtf.read,
    HTML.content_type: webpage.read,
    MARKDOWN.content_type: markdown_file.read,
    RST.content_type: text.read_rst,
    TXT.content_type: text.read_text,
    CSV.content_type: delimited.read,
    JSON.content_type: text.read_json,
    XML.content_type: xml.read,
    EML.content_type: mail.read,
    MSG.content_type: msg.read,
    HWP.content_type: hwp.read,
    HWPX.content_type: hwpx.read,
    **dict.fromkeys((kind.content_type for kind in IMAGES), images.read),
}


def read(path: Path, content_type: str, limits: ParseLimits, ocr: tuple[str, ...] = ()) -> ParsedDocument:
    """A document's text, title, language and date. Raises `ParseError`, `no_text` where there is none."""
    if content_type not in READERS:
        raise ParseError(
            "corrupt", f"Files of type {content_type} cannot be read. Save the file as PDF or text."
        )
    builder = TextBuilder(limits, ocr)
    READERS[content_type](path, builder)
    document = builder.build()
    if not any(c.isalnum() for c in document.text):
        raise ParseError("no_text")
    return replace(
        document,
        title=sensible_title(clean(builder.title)) or sensible_title(builder.first_heading),
        language=language_of(document.text, extraction.detect_language),
        date=date_of(builder.date),
    )
