"""Marked text, safely: whatever a document holds is escaped; only our own <mark> is HTML."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

from searchapp.snippets import Snippet

register = template.Library()


@register.filter
def marked(snippet: Snippet) -> SafeString:
    """The snippet with its highlights in <mark>."""
    return mark_spans(snippet.text, snippet.highlights)


def mark_spans(text: str, spans: Iterable[tuple[int, int]]) -> SafeString:
    """`text` escaped, with each span in <mark>. Spans are in order and do not overlap."""
    pieces: list[SafeString] = []
    at = 0
    for start, end in spans:
        pieces.append(conditional_escape(text[at:start]))
        pieces.append(format_html("<mark>{}</mark>", text[start:end]))
        at = end
    pieces.append(conditional_escape(text[at:]))
    return format_html_join("", "{}", ((piece,) for piece in pieces))
