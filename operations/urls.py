"""The description of the REST API. (`health.py` answers before all addresses.)"""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from operations import docs

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("schema", docs.Schema.as_view(), name="api-schema"),
    path("docs", docs.page, name="api-docs"),
]
