"""Checks a request against Qdrant's REST description."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator

_API = json.loads(Path(__file__).with_name("qdrant_openapi.json").read_text())


class BadRequestError(Exception):
    """The request is not one that Qdrant describes."""


def match(method: str, path: str) -> tuple[str, str]:
    """The described path of which this one is an instance, and the collection in it, or ""."""
    parts = path.strip("/").split("/")
    for template, operations in _API["paths"].items():
        expected = template.strip("/").split("/")
        if len(parts) != len(expected) or method.lower() not in operations:
            continue
        pairs = list(zip(expected, parts, strict=True))
        if all(want == part or want == "{collection_name}" for want, part in pairs):
            return template, next((part for want, part in pairs if want == "{collection_name}"), "")
    raise BadRequestError(f"no operation {method} {path}")


def check(method: str, template: str, query: str, body: Any) -> None:
    """Raises BadRequestError for an unknown or ill-typed parameter, or a body that is not as described."""
    operation = _API["paths"][template][method.lower()]
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in operation["query"]:
            raise BadRequestError(f"no parameter {name!r} in {method} {template}")
        _validate(operation["query"][name], _typed(value))
    if operation["body"] is None:
        if body is not None:
            raise BadRequestError(f"{method} {template} takes no body")
    else:
        _validate(operation["body"], body)


def _typed(value: str) -> Any:
    return json.loads(value) if value.isdigit() or value in ("true", "false") else value


def _validate(schema: Any, value: Any) -> None:
    error = next(_validator(json.dumps(schema)).iter_errors(value), None)
    if error:
        raise BadRequestError(f"{error.json_path}: {error.message[:300]}")


@cache
def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator({**json.loads(schema), "components": _API["components"]})
