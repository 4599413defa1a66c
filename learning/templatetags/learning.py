"""What a library's page says of learning."""

from __future__ import annotations

from django import template

from learning import quality
from library.models import Library

register = template.Library()


@register.simple_tag
def state_of_learning(library: Library) -> quality.State:
    return quality.state_of(library)
