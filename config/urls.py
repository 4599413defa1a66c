from __future__ import annotations

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from config.api_urls import api_urlpatterns

SLICES = ("searchapp", "library", "ingestion", "learning", "accounts")

urlpatterns: list[URLPattern | URLResolver] = [
    *(path("", include(f"{name}.urls")) for name in SLICES),
    path("admin/", admin.site.urls),
    *api_urlpatterns,
]

handler400 = "operations.problems.bad_request"
handler500 = "operations.problems.server_error"
