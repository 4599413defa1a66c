"""Cuts Qdrant's REST description down to what our server engine may use.

    python -m tests.support.reduce_openapi openapi.json tests/support/qdrant_openapi.json

The result holds the requests' paths, queries and bodies with the components they need, as JSON Schema:
OpenAPI's `nullable` is spelt out, descriptions and what we do not use are left out, and objects refuse other
properties.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

OPERATIONS = {
    "/collections": ["get"],
    "/collections/aliases": ["post"],
    "/aliases": ["get"],
    "/collections/{collection_name}": ["get", "put", "delete"],
    "/collections/{collection_name}/exists": ["get"],
    "/collections/{collection_name}/index": ["put"],
    "/collections/{collection_name}/points": ["put", "post"],
    "/collections/{collection_name}/points/delete": ["post"],
    "/collections/{collection_name}/points/query": ["post"],
    "/collections/{collection_name}/points/scroll": ["post"],
    "/collections/{collection_name}/points/count": ["post"],
    "/collections/{collection_name}/facet": ["post"],
}
UNUSED = {
    f"#/components/schemas/{name}"
    for name in [
        *["ContextQuery", "DiscoverQuery", "FormulaQuery", "FusionQuery", "OrderByQuery", "RecommendQuery"],
        *["RelevanceFeedbackQuery", "RrfQuery", "SampleQuery", "Mmr", "OrderByInterface"],
        *["Document", "Image", "InferenceObject", "MultiVectorConfig", "BatchVectorStruct", "PointsBatch"],
        *["ScalarQuantization", "ProductQuantization", "StrictModeConfig"],
        *[
            "TextIndexParams",
            "GeoIndexParams",
            "NestedCondition",
            "SliceCondition",
            "GeoPolygon",
            "GeoRadius",
        ],
        *["GeoBoundingBox", "HasVectorCondition", "LookupLocation", "IdfParams", "AcornSearchParams"],
    ]
}
DROPPED = {"description", "example", "default", "nullable", "deprecated", "format"}


def reduce(api: dict[str, Any]) -> dict[str, Any]:
    paths = {
        path: {method: _operation(api["paths"][path][method]) for method in methods}
        for path, methods in OPERATIONS.items()
    }
    schemas: dict[str, Any] = {}
    wanted = _references(paths)
    while wanted:
        name = wanted.pop()
        schemas[name] = json_schema(api["components"]["schemas"][name])
        wanted |= _references(schemas[name]) - schemas.keys()
    return {
        "source": "Qdrant's docs/redoc/master/openapi.json (version 1.19), https://github.com/qdrant/qdrant",
        "license": "Apache-2.0, Copyright Qdrant; reduced and rewritten as JSON Schema by reduce_openapi.py",
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def json_schema(schema: Any) -> Any:
    """The schema without OpenAPI 3.0's own words."""
    if isinstance(schema, list):
        return [json_schema(item) for item in schema if not _is_unused(item)]
    if not isinstance(schema, dict):
        return schema
    if "properties" in schema:
        properties = {
            name: json_schema(value) for name, value in schema["properties"].items() if not _is_unused(value)
        }
        rest = {key: value for key, value in schema.items() if key != "properties"}
        reduced = {"additionalProperties": False, **json_schema(rest), "properties": properties}
    else:
        reduced = {key: json_schema(value) for key, value in schema.items() if key not in DROPPED}
    if not schema.get("nullable"):
        return reduced
    reduced.pop("nullable", None)
    return {"anyOf": [reduced, {"type": "null"}]} if reduced else {"type": "null"}


def _is_unused(schema: Any) -> bool:
    return isinstance(schema, dict) and schema.get("$ref") in UNUSED


def _operation(operation: dict[str, Any]) -> dict[str, Any]:
    parameters = {p["name"]: p["schema"] for p in operation.get("parameters", []) if p["in"] == "query"}
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {"query": json_schema(parameters), "body": json_schema(body)}


def _references(schema: Any) -> set[str]:
    return set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(schema)))


if __name__ == "__main__":
    source, target = map(Path, sys.argv[1:])
    reduced = reduce(json.loads(source.read_text()))
    schemas = reduced["components"].pop("schemas")
    head = json.dumps(reduced | {"components": {"schemas": None}}, indent=1)
    lines = [
        f"  {json.dumps(name)}: {json.dumps(schema, sort_keys=True)}" for name, schema in schemas.items()
    ]
    target.write_text(head.replace("null\n }\n}", "{\n" + ",\n".join(lines) + "\n  }\n }\n}\n"))
