"""The text of a line of Markdown, without its marks; what is code or no known tag stays as it is written."""

from __future__ import annotations

import re

from markdown_it.token import Token

TAG = re.compile(r"</?([a-zA-Z][\w-]*)\b")
# A name that is none of these is no tag but text: "List<T>", "<your name>".
KNOWN_NAMES = """
    a abbr address area article aside audio b bdi bdo big blockquote br button caption center cite code
    col colgroup dd del details dfn div dl dt em fieldset figcaption figure font footer form h1 h2 h3 h4
    h5 h6 header hr i iframe img input ins kbd label legend li main map mark nav object ol p picture pre q
    s samp script section small source span strike strong style sub summary sup svg table tbody td tfoot
    th thead tr tt u ul var video wbr
"""
KNOWN = frozenset(KNOWN_NAMES.split())
WIKI_LINK = re.compile(r"!?\[\[([^\[\]|\n]{1,300})(?:\|([^\[\]\n]{1,300}))?\]\]")
MARKED = re.compile(r"==(?=\S)([^=\n]{1,400}?)(?<=\S)==")


def inline_text(token: Token) -> str:
    return "".join(_text(child) for child in token.children or ())


def _text(token: Token) -> str:
    kind = token.type
    if kind == "text":
        return MARKED.sub(r"\1", WIKI_LINK.sub(_page, token.content))
    if kind == "code_inline":
        return token.content
    if kind in {"softbreak", "hardbreak"}:
        return "\n"
    if kind == "image":
        return inline_text(token) or token.content
    if kind == "html_inline":
        match = TAG.match(token.content)
        if match and match[1].lower() == "br":
            return "\n"
        known = match is None or match[1].lower() in KNOWN
        return "" if known else token.content
    return ""


def _page(match: re.Match[str]) -> str:
    """A wiki's link: the name that it shows, and the page's where that is another."""
    page, shown = match[1].strip(), (match[2] or "").strip()
    return f"{shown} ({page})" if shown and shown != page else page
