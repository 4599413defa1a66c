"""The document path's part of the REST API: parse, call the use case, render."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ingestion import documents
from ingestion.bulk import Stream, ingest_lines
from ingestion.intake import Outcome, ingest_members, is_archive
from ingestion.serializers import (
    ArchiveSerializer,
    BulkLineSerializer,
    DocumentSerializer,
    DocumentTextSerializer,
    UploadFormSerializer,
    UploadSerializer,
)
from library import api as library_api
from library.access import document_for, library_for, library_named, readable_documents
from library.downloads import download
from library.errors import RefusedError, UploadError
from library.http import StreamParser, UploadParser
from library.models import Library, Role, Status
from library.pagination import answer_page, page_of, page_parameters
from library.serializers import (
    problems,
    validated,
)

LIBRARY = OpenApiParameter("library", str, description="Id or name.")
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="Names this upload: sent again within 24 hours, it answers with the same document.",
)


UPLOADED = PolymorphicProxySerializer(
    "Uploaded", serializers=[DocumentSerializer, ArchiveSerializer], resource_type_field_name=None
)


class Documents(APIView):
    parser_classes = [UploadParser]

    @extend_schema(
        operation_id="documents_list",
        summary="The documents that you may read, newest first",
        parameters=[LIBRARY, OpenApiParameter("status", str, enum=Status.values), *page_parameters],
        responses={200: page_of("DocumentPage", DocumentSerializer(many=True)), **problems(400, 404)},
    )
    def get(self, request: Request) -> Response:
        found = readable_documents(request.user).select_related("library")
        if "library" in request.query_params:
            found = found.filter(library=library_named(request.user, request.query_params["library"]))
        if status := request.query_params.get("status"):
            if status not in Status.values:
                raise ValidationError({"status": f"One of: {', '.join(Status.values)}."})
            found = found.filter(status=status)
        return answer_page(found, "-created_at", DocumentSerializer, request)

    @extend_schema(
        operation_id="documents_create",
        summary="Upload a file",
        description="Answers as soon as the file is stored; ask for the document to see when it is ready. Of "
        "a .zip each member becomes a document, or is refused for itself; Location lists the library then.",
        parameters=[IDEMPOTENCY_KEY],
        request={"multipart/form-data": UploadFormSerializer},
        responses={202: UPLOADED, **problems(400, 403, 404, 409, 413, 415, 422, 507)},
    )
    def post(self, request: Request) -> Response:
        file, fields = _upload(request)
        library = library_named(request.user, fields["library"], Role.EDITOR)
        details = documents.Details(
            title=fields.get("title", ""),
            metadata=fields.get("metadata"),
            tags=tuple(fields.get("tags", ())),
        )
        more: Any = {"user": request.user, "details": details, "idempotency_key": _idempotency_key(request)}
        context = {"request": request}
        if is_archive(file.name):
            body = ArchiveSerializer({"members": _members(library, file, **more)}, context=context).data
            address = f"{reverse('api-documents')}?library={library.pk}"
        else:
            document = documents.create(library, file.name, file, **more)
            body = DocumentSerializer(document, context=context).data
            address = reverse("api-document", args=[document.pk])
        return Response(body, 202, headers={"Location": request.build_absolute_uri(address)})


class BulkDocuments(APIView):
    parser_classes = [StreamParser]

    @extend_schema(
        operation_id="documents_bulk",
        summary="Upload many texts as NDJSON",
        description="One JSON object {id?, title, text, metadata?} a line, gzip allowed; one result for each "
        "line. A wrong line fails alone. A record with an id that the library has replaces that document.",
        parameters=[OpenApiParameter("library", str, required=True, description="Id or name.")],
        request={"application/x-ndjson": OpenApiTypes.STR},
        responses={(200, "application/x-ndjson"): BulkLineSerializer, **problems(400, 403, 404, 415)},
    )
    def post(self, request: Request) -> HttpResponseBase:
        name = request.query_params.get("library") or request.headers.get("X-Library", "")
        if not name:
            raise ValidationError({"library": "Name the library: /api/v1/documents/bulk?library=…"})
        library = library_named(request.user, name, Role.EDITOR)
        encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip"):
            raise RefusedError("unsupported_encoding", 415, "Send the lines as they are, or packed by gzip.")
        body: Stream | None = request.stream
        lines: Iterator[bytes] = (
            ingest_lines(library, body, encoding, user=request.user) if body else iter(())
        )
        return StreamingHttpResponse(lines, content_type="application/x-ndjson")


class OneDocument(APIView):
    @extend_schema(
        operation_id="documents_retrieve",
        summary="A document and its state",
        responses={200: DocumentSerializer, **problems(404)},
    )
    def get(self, request: Request, document_id: UUID) -> Response:
        document = document_for(request.user, document_id)
        return Response(DocumentSerializer(document, context={"request": request}).data)

    @extend_schema(
        operation_id="documents_delete",
        summary="Delete a document",
        responses={204: None, **problems(403, 404)},
    )
    def delete(self, request: Request, document_id: UUID) -> Response:
        documents.delete(document_for(request.user, document_id, Role.EDITOR))
        return Response(status=204)


class DocumentContent(APIView):
    @extend_schema(
        operation_id="documents_text",
        summary="The text that Quarry read, and its passages",
        parameters=[OpenApiParameter("passages", bool, description="true: with the passages.")],
        responses={200: DocumentTextSerializer(passages=True), **problems(400, 404)},
    )
    def get(self, request: Request, document_id: UUID) -> Response:
        passages = request.query_params.get("passages", "false")
        if passages not in ("true", "false"):
            raise ValidationError({"passages": "true or false."})
        document = document_for(request.user, document_id)
        return Response(DocumentTextSerializer(document, passages=passages == "true").data)


class DocumentFile(APIView):
    @extend_schema(
        operation_id="documents_file",
        summary="The original file, or a range of it",
        responses={
            (200, "application/octet-stream"): OpenApiTypes.BINARY,
            (206, "application/octet-stream"): OpenApiTypes.BINARY,
            **problems(404),
        },
    )
    def get(self, request: Request, document_id: UUID) -> HttpResponseBase:
        return download(request, document_for(request.user, document_id))


class OneLibrary(library_api.OneLibrary):
    """With DELETE, which takes the documents along."""

    @extend_schema(
        operation_id="libraries_delete",
        summary="Delete a library with all of its documents",
        responses={204: None, **problems(403, 404)},
    )
    def delete(self, request: Request, library_id: UUID) -> Response:
        documents.delete_library(library_for(request.user, library_id, Role.MANAGER))
        return Response(status=204)


def _upload(request: Request) -> tuple[Any, dict[str, Any]]:
    """The one file and the other fields of the form. Raises `RefusedError` `bad_form`."""
    data: Any = request.data
    files = request.FILES
    if [(name, len(sent)) for name, sent in files.lists()] != [("file", 1)]:
        raise RefusedError("bad_form", 400, "Send one file, whole, in the field “file”.")
    if (
        len(data.getlist("library")) != 1
        or len(data.getlist("title")) > 1
        or len(data.getlist("metadata")) > 1
    ):
        raise RefusedError(
            "bad_form", 400, "Send the field “library” once, “title” and “metadata” at most once."
        )
    return files["file"], validated(UploadSerializer(data=data))


def _members(library: Library, archive: Any, *, details: documents.Details, **more: Any) -> list[Outcome]:
    """What became of each member of an archive. Raises `RefusedError` where nothing of it came in."""
    if details.title:
        raise RefusedError("bad_form", 400, "Leave “title” out: the members of an archive have their own.")
    outcomes: list[Outcome] = []
    try:
        for outcome in ingest_members(library, archive, details=details, **more):
            outcomes.append(outcome)
    except UploadError as error:
        if not outcomes:
            raise
        outcomes.append(Outcome(archive.name, code=error.code, message=error.message))
    return outcomes


def _idempotency_key(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > 255 or not key.isprintable():
        raise RefusedError("invalid", 400, "An Idempotency-Key has at most 255 printable characters.")
    return key
