"""What the REST API says of libraries, and the serializers that every slice builds on."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema_field
from rest_framework import serializers

from library.errors import RefusedError
from library.libraries import grants
from library.models import Library, Role

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


def validated(serializer: serializers.BaseSerializer[Any]) -> Any:
    """Return the data that the serializer accepts. Raises `ValidationError`, which names the wrong fields."""
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data
