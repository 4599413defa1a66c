"""What the REST API says of documents, and what it takes."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from ingestion.intake import Outcome
from library.http import load_json
from library.models import Chunk, Document, Status
from library.serializers import ErrorSerializer


class Warnings(serializers.ListField):
    child = serializers.CharField()

    def __init__(self) -> None:
        super().__init__(
            read_only=True, help_text="Sentences: what of the file is not in the text, or hidden."
        )


class DocumentSerializer(serializers.ModelSerializer[Document]):
    library = serializers.UUIDField(source="library_id")
    title = serializers.CharField(source="__str__")
    status = serializers.ChoiceField(Status.choices)
    error = serializers.SerializerMethodField()
    warnings = Warnings()
    url = serializers.SerializerMethodField(help_text="The page that shows the document.")
    file = serializers.SerializerMethodField(help_text="The original, to be downloaded.")

    class Meta:
        model = Document
        fields = (
            *("id", "library", "name", "title", "type", "content_type", "language", "size", "tags"),
            *("status", "progress", "error", "version", "warnings"),
            *("character_count", "chunk_count"),
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


class MemberSerializer(serializers.Serializer[Any]):
    """What became of one member of an archive: an `Outcome`."""

    name = serializers.CharField(help_text="With its folders; the archive's own where the rest was refused.")
    document = DocumentSerializer(allow_null=True, help_text="With `duplicate`: the one that is there.")
    error = serializers.SerializerMethodField()

    @extend_schema_field(ErrorSerializer(allow_null=True))
    def get_error(self, outcome: Outcome) -> dict[str, str] | None:
        return None if outcome.accepted else {"code": outcome.code, "message": outcome.message}


class ArchiveSerializer(serializers.Serializer[Any]):
    members = MemberSerializer(many=True)


class PassageSerializer(serializers.ModelSerializer[Chunk]):
    chunk = serializers.UUIDField(source="pk", help_text="As hits of a search name it.")

    class Meta:
        model = Chunk
        fields = ("chunk", "text", "start", "end", "page", "heading")
        read_only_fields = fields


class DocumentTextSerializer(serializers.Serializer[Document]):
    """What Quarry read of a document's active version; empty before one is ready."""

    document = serializers.UUIDField(source="pk")
    status = serializers.ChoiceField(Status.choices)
    version = serializers.IntegerField(source="active_version", allow_null=True)
    pages = serializers.SerializerMethodField(help_text="Their number; null where the format has none.")
    warnings = Warnings()
    text = serializers.SerializerMethodField()
    passages = PassageSerializer(source="chunks", many=True, required=False, help_text="If asked for.")

    def __init__(self, *args: Any, passages: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not passages:
            self.fields.pop("passages")

    def get_text(self, document: Document) -> str:
        return document.parsed.text if hasattr(document, "parsed") else ""

    @extend_schema_field(OpenApiTypes.INT)
    def get_pages(self, document: Document) -> int | None:
        return (len(document.parsed.pages) or None) if hasattr(document, "parsed") else None


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
