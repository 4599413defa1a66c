"""Pages of the document path, and its part of the REST API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from ingestion import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("libraries/<uuid:library_id>/upload/", views.upload, name="upload"),
    path("documents/<uuid:document_id>/retry/", views.retry, name="retry"),
    path("documents/<uuid:document_id>/delete/", views.delete, name="delete"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("documents", api.Documents.as_view(), name="api-documents"),
    path("documents/bulk", api.BulkDocuments.as_view(), name="api-documents-bulk"),
    path("documents/<uuid:document_id>", api.OneDocument.as_view(), name="api-document"),
    path("documents/<uuid:document_id>/text", api.DocumentContent.as_view(), name="api-document-text"),
    path("documents/<uuid:document_id>/file", api.DocumentFile.as_view(), name="api-document-file"),
    path("libraries/<uuid:library_id>", api.OneLibrary.as_view(), name="api-library"),
]
