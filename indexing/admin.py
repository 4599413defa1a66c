"""Index versions in the admin: shown, not edited."""

from __future__ import annotations

from django.contrib import admin

from indexing.models import IndexVersion
from library.admin import ReadOnlyAdmin


@admin.register(IndexVersion)
class IndexVersionAdmin(ReadOnlyAdmin):
    list_display = ["collection", "state", "encoder", "dimensions", "activated_at", "progress", "lost_at"]
    list_filter = ["state"]
