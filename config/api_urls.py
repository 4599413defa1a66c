"""Addresses for programs: the REST API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, re_path

from ingestion.urls import api_urlpatterns as document_path
from library.urls import api_urlpatterns as libraries
from operations import problems
from operations.urls import api_urlpatterns as description
from searchapp.urls import api_urlpatterns as query_path

api_urlpatterns: list[URLPattern | URLResolver] = [
    path("api/v1/", include([*query_path, *document_path, *libraries, *description])),
    re_path(r"^api/", problems.unknown_address),
]
