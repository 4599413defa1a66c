"""What the REST API says of results, and what it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.urls import reverse
from rest_framework import serializers

from library.serializers import StrictSerializer, Text
from searchapp.search import Hit, Page

MAX_VALUES = 100


class Query(Text):
    """Any text: `check_query` says what is wrong with it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_blank=True, trim_whitespace=False, **kwargs)
        self.validators = []


class Number(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Values(serializers.ListField):
    """Several values, or one."""

    child = serializers.CharField(max_length=200)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=MAX_VALUES, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        return super().to_internal_value([data] if isinstance(data, str | int) else data)


class FiltersSerializer(StrictSerializer):
    unknown_code = "unknown_filter"

    type = Values(help_text="pdf, docx, ...")
    language = Values(help_text="ISO 639-1")
    year = Values()
    tags = Values()


class SearchSerializer(StrictSerializer):
    query = Query()
    libraries = Values(help_text="Ids or names; all that you may read unless told.")
    filters = FiltersSerializer(required=False)
    limit = Number(default=10, min_value=1, max_value=100)
    offset = Number(default=0, min_value=0, max_value=1000)
    rerank = Flag(default=True)
    explain = Flag(default=False, help_text="Adds the scores to the hits, for admins.")
    deadline_ms = Number(required=False, min_value=50, max_value=60_000, help_text="For reranking.")


class TotalSerializer(serializers.Serializer[Any]):
    value = serializers.IntegerField()
    relation = serializers.ChoiceField(["eq", "gte"])


class ScoresSerializer(serializers.Serializer[Any]):
    dense = serializers.FloatField(allow_null=True)
    lexical = serializers.FloatField(allow_null=True)
    fused = serializers.FloatField()
    rerank = serializers.FloatField(allow_null=True)


class HitLibrarySerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    name = serializers.CharField()


class HitSerializer(serializers.Serializer[Any]):
    document = serializers.UUIDField()
    chunk = serializers.UUIDField()
    name = serializers.CharField(help_text="The file's name.")
    title = serializers.CharField()
    type = serializers.CharField(help_text="pdf, docx, ...")
    language = serializers.CharField(allow_blank=True, help_text="ISO 639-1; empty where it is not known.")
    date = serializers.DateField(allow_null=True)
    library = HitLibrarySerializer()
    url = serializers.URLField()
    snippet = serializers.CharField(help_text="Plain text: escape it before you show it.")
    highlights = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField(), min_length=2, max_length=2),
        help_text="Spans of the snippet, [start, end) in characters.",
    )
    page = serializers.IntegerField(allow_null=True)
    heading = serializers.CharField(allow_null=True)
    score = serializers.FloatField(
        help_text="The first stage's; the order is the reranker's where `reranked` is true."
    )
    scores = ScoresSerializer(required=False, help_text="For admins who ask for `explain`.")


class FacetSerializer(serializers.Serializer[Any]):
    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField()
    selected = serializers.BooleanField()


class PageSerializer(serializers.Serializer[Any]):
    query_id = serializers.UUIDField()
    took_ms = serializers.FloatField()
    total = TotalSerializer()
    degraded = serializers.ListField(child=serializers.CharField(), help_text="rerank_timeout, ...")
    reranked = serializers.BooleanField(help_text="At least the first five of the order were.")
    reranked_count = serializers.IntegerField(help_text="How many of the first candidates were.")
    hits = HitSerializer(many=True)
    facets = serializers.DictField(child=FacetSerializer(many=True))


class SuggestionsSerializer(serializers.Serializer[Any]):
    suggestions = serializers.ListField(child=serializers.CharField())


class FeedbackSerializer(StrictSerializer):
    query_id = serializers.UUIDField()
    chunk = serializers.UUIDField()
    useful = Flag()


def page_as_json(
    page: Page, absolute: Callable[[str], str] = str, *, explain: bool = False
) -> dict[str, Any]:
    """Return the answer of `POST /search` and of `manage.py search --json`.

    `absolute` makes addresses of paths. `explain` adds the scores, which are for admins alone.
    """
    return {
        "query_id": page.query_id,
        "took_ms": round(page.took_ms, 1),
        "total": {"value": page.total, "relation": "gte" if page.more else "eq"},
        "degraded": list(page.degraded),
        "reranked": page.reranked,
        "reranked_count": page.reranked_count,
        "hits": [_hit(hit, absolute, explain) for hit in page.hits],
        "facets": {name: [asdict(facet) for facet in facets] for name, facets in page.facets.items()},
    }


def _hit(hit: Hit, absolute: Callable[[str], str], explain: bool) -> dict[str, Any]:
    chunk, document = hit.chunk, hit.chunk.document
    address = reverse("document", args=[document.pk])
    return {
        "document": str(document.pk),
        "chunk": str(chunk.pk),
        "name": document.name,
        "title": str(document),
        "type": document.type,
        "language": document.language,
        "date": document.date.isoformat() if document.date else None,
        "library": {"id": str(document.library_id), "name": document.library.name},
        "url": absolute(f"{address}?chunk={chunk.pk}#passage"),
        "snippet": hit.snippet.text,
        "highlights": [list(span) for span in hit.snippet.highlights],
        "page": chunk.page,
        "heading": chunk.heading or None,
        "score": hit.scores["fused"],
        **({"scores": dict(hit.scores)} if explain else {}),
    }
