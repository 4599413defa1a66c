"""What the control words of RTF mean (Microsoft, "Rich Text Format Specification", version 1.9.1)."""

from __future__ import annotations

import codecs
import re

TOKEN = re.compile(
    rb"\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?\d{1,10})? ?|\\'(?P<hex>[0-9a-fA-F]{2})"
    rb"|\\(?P<symbol>[^a-zA-Z'])|(?P<brace>[{}])|[\r\n\0]+|(?P<text>[^\\{}\r\n\0]+)|\\'?",
    re.DOTALL,
)
# Code pages of \fcharset.
CHARSETS = {
    77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gb18030", 136: "cp950", 161: "cp1253",
    162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256", 186: "cp1257", 204: "cp1251", 222: "cp874",
    238: "cp1250",
}  # fmt: skip
CHARACTERS = {
    "tab": "\t", "line": "\n", "lbr": "\n", "emdash": "—", "endash": "–", "emspace": " ", "enspace": " ",
    "qmspace": " ", "bullet": "•", "lquote": "‘", "rquote": "’", "ldblquote": "“", "rdblquote": "”",
    "zwj": "\u200d", "zwnj": "\u200c",
}  # fmt: skip
SYMBOLS = {"~": " ", "_": "-", "\\": "\\", "{": "{", "}": "}", "\n": "\n", "\r": "\n"}
# Groups without text of their own, beside all that begin with \* and are not known.
SILENT = frozenset(
    [
        "colortbl",
        "filetbl",
        "pict",
        "fldinst",
        "listtable",
        "listoverridetable",
        "revtbl",
        "rsidtbl",
        "nonshppict",
        "shprslt",
        "sn",
        "sv",
        "tc",
        "tcn",
        "xe",
        "upr",
        "ftnsep",
        "ftnsepc",
        "ftncn",
        "aftnsep",
        "aftnsepc",
        "aftncn",
        "objdata",
        "objclass",
        "do",
        "template",
        "panose",
        "falt",
        "doccomm",
        "bkmkstart",
        "bkmkend",
        "atnid",
        "atnref",
        "atndate",
        "pgdsctbl",
        "themedata",
        "colorschememapping",
        "datastore",
        "generator",
    ]
)
STARRED_WITH_TEXT = frozenset(["shpinst", "ud", "annotation", "atnauthor", "htmltag", "footnote"])
NOTES = {"footnote": "Note", "annotation": "Comment"}
EDGES = frozenset(["header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"])
SETTINGS = frozenset(
    [
        "ansicpg",
        "mac",
        "uc",
        "f",
        "fcharset",
        "v",
        "deleted",
        "plain",
        "pard",
        "intbl",
        "outlinelevel",
        "s",
        "creatim",
        "revtim",
        "yr",
        "mo",
        "dy",
        "u",
        "ud",
    ]
)
STRUCTURE = frozenset(
    [
        "fonttbl",
        "stylesheet",
        "info",
        "title",
        "footnote",
        "annotation",
        "atnauthor",
        "par",
        "sect",
        "page",
        "cell",
        "nestcell",
        "row",
        "nestrow",
        "htmltag",
        "htmlrtf",
    ]
)
KNOWN = SETTINGS | STRUCTURE | SILENT | EDGES | CHARACTERS.keys()
HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|제목|見出し) ?(\d)", re.IGNORECASE)


def code_page(number: int) -> str:
    """Python's name of a Windows code page, cp1252 where there is none."""
    name = {65001: "utf-8", 936: "gb18030", 10000: "mac_roman", 1361: "johab"}.get(number, f"cp{number}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
