"""The query path's part of the REST API: parse, call `search()`, render."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from library.access import Person, library_named
from library.serializers import problems
from searchapp import feedback
from searchapp.search import Filters, search, suggest
from searchapp.serializers import (
    FeedbackSerializer,
    PageSerializer,
    SearchSerializer,
    SuggestionsSerializer,
    page_as_json,
)


class Search(APIView):
    @extend_schema(
        operation_id="search",
        summary="The passages that answer a query best",
        request=SearchSerializer,
        responses={200: PageSerializer, **problems(400, 404, 413)},
    )
    def post(self, request: Request) -> Response:
        asked = SearchSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        fields = dict(asked.validated_data)
        explain = fields.pop("explain") and request.user.is_superuser
        filters = _filters(request.user, fields.pop("libraries", ()), fields.pop("filters", {}))
        page = search(request.user, fields.pop("query"), filters=filters, **fields)
        feedback.remember(request.user, page)
        return Response(page_as_json(page, request.build_absolute_uri, explain=explain))


class Suggest(APIView):
    @extend_schema(
        operation_id="suggest",
        summary="Titles that hold these words",
        parameters=[OpenApiParameter("q", str, required=True)],
        responses={200: SuggestionsSerializer, **problems(400, 413)},
    )
    def get(self, request: Request) -> Response:
        return Response({"suggestions": suggest(request.user, request.query_params.get("q", ""))})


class Judge(APIView):
    @extend_schema(
        operation_id="feedback",
        summary="Say whether a passage was useful",
        request=FeedbackSerializer,
        responses={204: None, **problems(400, 404)},
    )
    def post(self, request: Request) -> Response:
        given = FeedbackSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        feedback.judge(request.user, **given.validated_data)
        return Response(status=204)


def _filters(user: Person, libraries: list[str], values: dict[str, Any]) -> Filters:
    """Raises `Library.DoesNotExist` for a library that the person may not see."""
    ids = tuple(str(library_named(user, reference).pk) for reference in libraries)
    return Filters(library=ids, **{name: tuple(given) for name, given in values.items()})
