"""Pages of the query path, and its part of the REST API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from searchapp import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.search, name="search"),
    path("documents/<uuid:document_id>/", views.document, name="document"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("search", api.Search.as_view(), name="api-search"),
    path("suggest", api.Suggest.as_view(), name="api-suggest"),
    path("feedback", api.Judge.as_view(), name="api-feedback"),
]
