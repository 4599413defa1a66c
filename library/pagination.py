"""Lists in pages: `{"results": [...], "next": address or null}`, by cursor: new rows shift nothing."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response


class Pagination(CursorPagination):
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def get_page_size(self, request: Request) -> int:
        """Raises `ValidationError` for a limit that is no number, or not in range."""
        limit = request.query_params.get("limit", str(self.page_size))
        if not (
            limit.isascii() and limit.isdigit() and len(limit) < 4 and 1 <= int(limit) <= self.max_page_size
        ):
            raise ValidationError({"limit": f"A whole number from 1 to {self.max_page_size}."})
        return int(limit)

    def decode_cursor(self, request: Request) -> Any:
        """Raises `NotFound`, as for every other cursor that none of our answers had."""
        cursor = super().decode_cursor(request)
        if cursor and "\0" in str(cursor.position):
            raise NotFound
        return cursor

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.get_next_link()})


page_parameters = [
    OpenApiParameter("limit", int, description="Of one page, 50 unless told, at most 200."),
    OpenApiParameter("cursor", str, description="From `next`."),
]


def page_of(name: str, serializer: serializers.BaseSerializer[Any]) -> serializers.Serializer[Any]:
    """What the schema says of such a list."""
    page: serializers.Serializer[Any] = inline_serializer(
        name, {"results": serializer, "next": serializers.URLField(allow_null=True)}
    )
    return page


def answer_page(
    rows: QuerySet[Any],
    order: str,
    serializer: type[serializers.BaseSerializer[Any]],
    request: Request,
) -> Response:
    """One page of rows, ordered by a field that hardly repeats. Raises `ValidationError` for a bad cursor."""
    pagination = Pagination()
    pagination.ordering = (order, "pk")
    try:
        page = pagination.paginate_queryset(rows, request)
    except NotFound:
        raise ValidationError({"cursor": "Use the address in “next” as it is."}) from None
    return pagination.get_paginated_response(serializer(page, many=True, context={"request": request}).data)
