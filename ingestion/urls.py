"""Pages of the document path, and its part of the REST API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from ingestion import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("libraries/", views.libraries, name="libraries"),
    path("libraries/<uuid:library_id>/", views.library, name="library"),
    path("libraries/<uuid:library_id>/upload/", views.upload, name="upload"),
    path("libraries/<uuid:library_id>/progress/", views.progress, name="progress"),
    path("libraries/<uuid:library_id>/learn/", views.learn, name="learn"),
    path("libraries/<uuid:library_id>/learning/", views.learning, name="learning"),
    path("libraries/<uuid:library_id>/members/", views.set_member, name="set-member"),
    path("libraries/<uuid:library_id>/members/remove/", views.remove_member, name="remove-member"),
    path("quality/", views.show_quality, name="quality"),
    path("documents/<uuid:document_id>/file/", views.original, name="original"),
    path("documents/<uuid:document_id>/retry/", views.retry, name="retry"),
    path("documents/<uuid:document_id>/delete/", views.delete, name="delete"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("documents", api.Documents.as_view(), name="api-documents"),
    path("documents/bulk", api.BulkDocuments.as_view(), name="api-documents-bulk"),
    path("documents/<uuid:document_id>", api.OneDocument.as_view(), name="api-document"),
    path("documents/<uuid:document_id>/file", api.DocumentFile.as_view(), name="api-document-file"),
    path("libraries", api.Libraries.as_view(), name="api-libraries"),
    path("libraries/<uuid:library_id>", api.OneLibrary.as_view(), name="api-library"),
    path("libraries/<uuid:library_id>/access", api.LibraryAccess.as_view(), name="api-library-access"),
]
