"""Addresses for programs: the REST API. (`health.py` answers outside it.)"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from ingestion.urls import api_urlpatterns as document_path
from searchapp import api, docs, problems

query_path: list[URLPattern | URLResolver] = [
    path("search", api.Search.as_view(), name="api-search"),
    path("suggest", api.Suggest.as_view(), name="api-suggest"),
    path("feedback", api.Judge.as_view(), name="api-feedback"),
    path("schema", docs.Schema.as_view(), name="api-schema"),
    path("docs", docs.page, name="api-docs"),
]

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include([*query_path, *document_path])),
    re_path(r"^api/", problems.unknown_address),
]
