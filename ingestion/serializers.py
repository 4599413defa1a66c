"""What the REST API says of libraries and documents, and what it takes."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from ingestion.errors import RefusedError
from ingestion.http import load_json
from ingestion.libraries import grants
from ingestion.models import Document, Library, Role, Status

ROLES = [role.label for role in Role]


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457, with a stable code; `errors` for wrong fields."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = serializers.ListField(child=serializers.DictField(), required=False)  # type: ignore[assignment]
    document = serializers.URLField(required=False, help_text="With `duplicate`: the document that is there.")


def problems(*statuses: int) -> dict[Any, Any]:
    """The schema's answers for these statuses, and for those that every endpoint can give."""
    answer = OpenApiResponse(ProblemSerializer, description="A problem (RFC 9457)")
    return {(status, "application/problem+json"): answer for status in (*statuses, 401, 429, 500, 503)}


class StrictSerializer(serializers.Serializer[Any]):
    """Fields that it does not know are refused, since a misspelt one would be ignored silently."""

    unknown_code = "unknown_field"

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            known, wrong = ", ".join(self.fields), unknown[0][:50].encode("utf-8", "replace").decode()
            raise RefusedError(self.unknown_code, 400, f"There is no field “{wrong}”. Known: {known}.")
        return super().to_internal_value(data)


class Text(serializers.CharField):
    """Text only: no numbers that are made text."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class DocumentSerializer(serializers.ModelSerializer[Document]):
    library = serializers.UUIDField(source="library_id")
    title = serializers.CharField(source="__str__")
    status = serializers.ChoiceField(Status.choices)
    error = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField(help_text="The page that shows the document.")
    file = serializers.SerializerMethodField(help_text="The original, to be downloaded.")

    class Meta:
        model = Document
        fields = (
            *("id", "library", "name", "title", "type", "content_type", "language", "size", "tags"),
            *("status", "progress", "error", "version", "character_count", "chunk_count"),
            *("created_at", "updated_at", "url", "file"),
        )
        read_only_fields = fields
        extra_kwargs = {"tags": {"help_text": "As the uploader gave them."}}

    @extend_schema_field(ErrorSerializer(allow_null=True))
    def get_error(self, document: Document) -> dict[str, str] | None:
        if not document.error_code:
            return None
        return {"code": document.error_code, "message": document.error_message}

    @extend_schema_field(OpenApiTypes.URI)
    def get_url(self, document: Document) -> str:
        return self._address("document", document)

    @extend_schema_field(OpenApiTypes.URI)
    def get_file(self, document: Document) -> str:
        return self._address("api-document-file", document)

    def _address(self, route: str, document: Document) -> str:
        request: Request = self.context["request"]
        return request.build_absolute_uri(reverse(route, args=[document.pk]))


class UploadSerializer(serializers.Serializer[Any]):
    """The fields of an upload form besides its file."""

    library = serializers.CharField(help_text="Id or name.")
    title = serializers.CharField(required=False, max_length=500, allow_blank=True)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100),
        required=False,
        max_length=50,
        help_text="Repeat the field, or separate tags by commas.",
    )
    metadata = serializers.CharField(required=False, allow_blank=True, help_text="A JSON object.")

    def validate_tags(self, tags: list[str]) -> list[str]:
        return [tag.strip() for given in tags for tag in given.split(",") if tag.strip()]

    def validate_metadata(self, text: str) -> dict[str, Any]:
        try:
            value = load_json(text) if text else {}
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise serializers.ValidationError("This is no JSON object.")
        return value


@extend_schema_field(OpenApiTypes.BINARY)
class FileContent(serializers.FileField):
    """A file as it is sent; elsewhere the schema would call it an address."""


class UploadFormSerializer(UploadSerializer):
    """The form as the schema shows it."""

    file = FileContent()


class BulkLineSerializer(serializers.Serializer[Any]):
    """The result of one line."""

    line = serializers.IntegerField()
    id = serializers.CharField(required=False, help_text="As it was sent.")
    status = serializers.ChoiceField(["queued", "duplicate", "error"])
    document = serializers.UUIDField(required=False)
    error = ErrorSerializer(required=False)


class LibrarySerializer(serializers.ModelSerializer[Library]):
    role = serializers.SerializerMethodField(help_text="Yours.")
    document_count = serializers.IntegerField()

    class Meta:
        model = Library
        fields = ("id", "name", "description", "role", "document_count", "created_at")
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(ROLES))
    def get_role(self, library: Library) -> str:
        return Role(library.role).label  # type: ignore[attr-defined]  # annotated


class LibraryWriteSerializer(StrictSerializer):
    name = Text(max_length=200)
    description = Text(max_length=5000, required=False, allow_blank=True)


class GrantSerializer(StrictSerializer):
    user = Text(required=False, allow_null=True, max_length=150)
    group = Text(required=False, allow_null=True, max_length=150)
    role = serializers.ChoiceField(ROLES)


class AccessListSerializer(StrictSerializer):
    access = serializers.ListField(child=GrantSerializer(), max_length=1000)


def access_list(library: Library) -> dict[str, Any]:
    return {
        "access": [
            {"user": grant.user or None, "group": grant.group or None, "role": grant.role.label}
            for grant in grants(library)
        ]
    }
