"""Codes in words."""

from __future__ import annotations

from django import template
from django.conf.locale import LANG_INFO

from library.models import Status

register = template.Library()

STATUS_WORDS = {
    Status.QUEUED: "waiting",
    Status.PARSING: "reading the file",
    Status.INDEXING: "indexing",
    Status.READY: "ready",
    Status.FAILED: "failed",
    Status.QUARANTINED: "set aside",
}


@register.filter
def language_name(code: str) -> str:
    """`ko` -> `Korean`; codes without a known name stay."""
    return str(LANG_INFO.get(code, {}).get("name", code))


@register.filter
def status_words(status: str) -> str:
    return STATUS_WORDS[Status(status)]


@register.filter
def thousands(number: int) -> str:
    return f"{number:,}"


@register.filter
def percent(share: float) -> int:
    return round(share * 100)
