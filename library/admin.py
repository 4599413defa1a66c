"""The admin: libraries and who may read them. What the pipeline writes is shown, not edited."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from library.models import Access, Document, Library

admin.site.site_header = admin.site.site_title = "Quarry"


class AccessInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Access
    extra = 1
    autocomplete_fields = ["user", "group"]


@admin.register(Library)
class LibraryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "description", "created_at", "id"]  # two may have one name
    search_fields = ["name", "id"]
    inlines = [AccessInline]

    def has_delete_permission(self, request: HttpRequest, obj: Library | None = None) -> bool:
        """Deleting rows here would leave their files and points: the page and the API delete those too."""
        return False


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    list_display = ["name", "library", "type", "status", "error_code", "attempts", "version", "updated_at"]
    list_filter = ["status", "library", "type", "error_code"]
    list_select_related = ["library"]
    search_fields = ["name", "title", "id"]
    date_hierarchy = "created_at"
