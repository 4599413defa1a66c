"""The admin: libraries and who may read them. What the pipeline writes is shown, not edited."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from ingestion import learning_runs
from ingestion.errors import RefusedError
from ingestion.models import Access, Document, IndexVersion, LearningRun, Library

admin.site.site_header = admin.site.site_title = "Quarry"


class AccessInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Access
    extra = 1
    autocomplete_fields = ["user", "group"]


@admin.register(Library)
class LibraryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "description", "created_at"]
    search_fields = ["name"]
    inlines = [AccessInline]
    actions = ["learn"]

    @admin.action(permissions=["change"], description="Learn from the documents of the selected libraries")
    def learn(self, request: HttpRequest, libraries: QuerySet[Library]) -> None:
        """The button of the library's page, for several at once; they wait for each other."""
        for library in libraries:
            try:
                learning_runs.request(library, by=request.user)
            except RefusedError as error:
                self.message_user(request, f"{library}: {error.message}", messages.WARNING)
            else:
                self.message_user(request, f"{library} is learned in the background; see “Quality”.")

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


@admin.register(IndexVersion)
class IndexVersionAdmin(ReadOnlyAdmin):
    list_display = ["collection", "state", "encoder", "dimensions", "created_at", "activated_at"]
    list_filter = ["state"]


@admin.register(LearningRun)
class LearningRunAdmin(ReadOnlyAdmin):
    list_display = ["library", "state", "progress", "chunks", "requested_by", "created_at", "finished_at"]
    list_filter = ["state", "library"]
    list_select_related = ["library", "requested_by"]
