"""Libraries in the REST API: parse, call the use case, render."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from library import libraries
from library.access import library_for
from library.models import Role
from library.pagination import answer_page, page_of, page_parameters
from library.serializers import (
    AccessListSerializer,
    LibrarySerializer,
    LibraryWriteSerializer,
    access_list,
    problems,
    validated,
)


class Libraries(APIView):
    @extend_schema(
        operation_id="libraries_list",
        summary="The libraries that you may read",
        parameters=page_parameters,
        responses={200: page_of("LibraryPage", LibrarySerializer(many=True)), **problems()},
    )
    def get(self, request: Request) -> Response:
        return answer_page(libraries.described(request.user), "name", LibrarySerializer, request)

    @extend_schema(
        operation_id="libraries_create",
        summary="Create a library, with you as its manager",
        request=LibraryWriteSerializer,
        responses={201: LibrarySerializer, **problems(400, 403, 409)},
    )
    def post(self, request: Request) -> Response:
        fields = validated(LibraryWriteSerializer(data=request.data))
        library = libraries.create(request.user, **fields)
        address = request.build_absolute_uri(reverse("api-library", args=[library.pk]))
        return Response(_library(request, library.pk), 201, headers={"Location": address})


class OneLibrary(APIView):
    """Without DELETE: it takes the documents along, so the document path adds it."""

    @extend_schema(
        operation_id="libraries_retrieve",
        summary="A library",
        responses={200: LibrarySerializer, **problems(404)},
    )
    def get(self, request: Request, library_id: UUID) -> Response:
        return Response(_library(request, library_id))

    @extend_schema(
        operation_id="libraries_update",
        summary="Change a library's name or description",
        request=LibraryWriteSerializer(partial=True),
        responses={200: LibrarySerializer, **problems(400, 403, 404, 409)},
    )
    def patch(self, request: Request, library_id: UUID) -> Response:
        library = library_for(request.user, library_id, Role.MANAGER)
        changes = validated(LibraryWriteSerializer(data=request.data, partial=True))
        libraries.change(library, by=request.user, **changes)
        return Response(_library(request, library_id))


class LibraryAccess(APIView):
    @extend_schema(
        operation_id="libraries_access_list",
        summary="Who may do what in a library",
        responses={200: AccessListSerializer, **problems(403, 404)},
    )
    def get(self, request: Request, library_id: UUID) -> Response:
        return Response(access_list(library_for(request.user, library_id, Role.MANAGER)))

    @extend_schema(
        operation_id="libraries_access_replace",
        summary="Replace the list of who may do what in a library",
        request=AccessListSerializer,
        responses={200: AccessListSerializer, **problems(400, 403, 404, 409)},
    )
    def put(self, request: Request, library_id: UUID) -> Response:
        library = library_for(request.user, library_id, Role.MANAGER)
        entries = validated(AccessListSerializer(data=request.data))["access"]
        grants = [
            libraries.Grant(Role[e["role"].upper()], user=e.get("user") or "", group=e.get("group") or "")
            for e in entries
        ]
        libraries.share(library, grants, by=request.user)
        return Response(access_list(library))


def _library(request: Request, library_id: UUID) -> dict[str, Any]:
    return dict(LibrarySerializer(libraries.described(request.user).get(pk=library_id)).data)
