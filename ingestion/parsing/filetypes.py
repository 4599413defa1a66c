"""The kinds of file that may come in, and how their first bytes must look."""

from __future__ import annotations

from dataclasses import dataclass

OOXML = "application/vnd.openxmlformats-officedocument."
ODF = "application/vnd.oasis.opendocument."


@dataclass(frozen=True, slots=True)
class FileType:
    """A kind of file: `label` is the short name that people filter by, `family` how it is checked."""

    content_type: str
    label: str
    family: str  # text, pdf, rtf, ole, zip or image
    marker: str = ""  # ole: a stream of the kind; zip: a path prefix, or the content of "mimetype"
    macros: bool = False  # whether files of this kind may hold them


PDF = FileType("application/pdf", "pdf", "pdf")
DOCX = FileType(OOXML + "wordprocessingml.document", "docx", "zip", "word/")
# Macros are not read, and never run. Templates are like documents.
DOCM = FileType("application/vnd.ms-word.document.macroEnabled.12", "docm", "zip", "word/", macros=True)
PPTX = FileType(OOXML + "presentationml.presentation", "pptx", "zip", "ppt/")
XLSX = FileType(OOXML + "spreadsheetml.sheet", "xlsx", "zip", "xl/")
XLSM = FileType("application/vnd.ms-excel.sheet.macroEnabled.12", "xlsm", "zip", "xl/", macros=True)
DOC = FileType("application/msword", "doc", "ole", "WordDocument")
PPT = FileType("application/vnd.ms-powerpoint", "ppt", "ole", "PowerPoint Document")
XLS = FileType("application/vnd.ms-excel", "xls", "ole", "Workbook")
MSG = FileType("application/vnd.ms-outlook", "msg", "ole", "__properties_version1.0")
HWP = FileType("application/x-hwp", "hwp", "ole", "FileHeader")
HWPX = FileType("application/hwp+zip", "hwpx", "zip", "application/hwp+zip")
ODT = FileType(ODF + "text", "odt", "zip", ODF + "text")
ODS = FileType(ODF + "spreadsheet", "ods", "zip", ODF + "spreadsheet")
ODP = FileType(ODF + "presentation", "odp", "zip", ODF + "presentation")
EPUB = FileType("application/epub+zip", "epub", "zip", "application/epub+zip")
ZIP = FileType("application/zip", "zip", "zip")
RTF = FileType("application/rtf", "rtf", "rtf")
TXT = FileType("text/plain", "txt", "text")
MARKDOWN = FileType("text/markdown", "md", "text")
RST = FileType("text/x-rst", "rst", "text")
HTML = FileType("text/html", "html", "text")
CSV = FileType("text/csv", "csv", "text")
JSON = FileType("application/json", "json", "text")
XML = FileType("application/xml", "xml", "text")
EML = FileType("message/rfc822", "eml", "text")

PNG = FileType("image/png", "png", "image")
JPEG = FileType("image/jpeg", "jpg", "image")
TIFF = FileType("image/tiff", "tif", "image")
WEBP = FileType("image/webp", "webp", "image")
IMAGES = {
    PNG: (b"\x89PNG",),
    JPEG: (b"\xff\xd8\xff",),
    TIFF: (b"II*\0", b"MM\0*"),
    WEBP: (b"RIFF",),
}

BY_EXTENSION = {
    ".pdf": PDF,
    ".docx": DOCX,
    ".dotx": DOCX,
    ".docm": DOCM,
    ".dotm": DOCM,
    ".pptx": PPTX,
    ".xlsx": XLSX,
    ".xltx": XLSX,
    ".xlsm": XLSM,
    ".xltm": XLSM,
    ".doc": DOC,
    ".ppt": PPT,
    ".xls": XLS,
    ".msg": MSG,
    ".hwp": HWP,
    ".hwpx": HWPX,
    ".odt": ODT,
    ".ods": ODS,
    ".odp": ODP,
    ".epub": EPUB,
    ".zip": ZIP,
    ".rtf": RTF,
    ".txt": TXT,
    ".text": TXT,
    ".log": TXT,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".rst": RST,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".csv": CSV,
    ".tsv": CSV,
    ".json": JSON,
    ".jsonl": JSON,
    ".ndjson": JSON,
    ".xml": XML,
    ".svg": XML,
    ".eml": EML,
    ".png": PNG,
    ".jpg": JPEG,
    ".jpeg": JPEG,
    ".tif": TIFF,
    ".tiff": TIFF,
    ".webp": WEBP,
}

# First bytes of what is no text, whatever its name says.
BINARY_MAGIC = (
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"\xd0\xcf\x11\xe0",
    b"%PDF-",
    b"MZ",
    b"\x7fELF",
    b"\xcf\xfa\xed\xfe",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"7z\xbc\xaf",
    b"Rar!",
    b"BZh",
    b"\xfd7zXZ",
)
