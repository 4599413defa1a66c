"""Pages of libraries and their documents, and libraries in the REST API."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from library import api, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("libraries/", views.libraries, name="libraries"),
    path("libraries/<uuid:library_id>/", views.library, name="library"),
    path("libraries/<uuid:library_id>/progress/", views.progress, name="progress"),
    path("libraries/<uuid:library_id>/members/", views.set_member, name="set-member"),
    path("libraries/<uuid:library_id>/members/remove/", views.remove_member, name="remove-member"),
    path("documents/<uuid:document_id>/file/", views.original, name="original"),
]
api_urlpatterns: list[URLPattern | URLResolver] = [
    path("libraries", api.Libraries.as_view(), name="api-libraries"),
    path("libraries/<uuid:library_id>/access", api.LibraryAccess.as_view(), name="api-library-access"),
]
